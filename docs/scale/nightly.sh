#!/bin/sh
# Goes on from the live model with the events until yesterday, and publishes what comes out unless it is worse.
#   nightly.sh EVENTS WEB    a folder of parts with the events of the last weeks; the folder that is served as /models/
set -eu
events=$1 web=$2
live=$(cat "$web/live")            # the version that pages load
work=nightly/$(date +%F)           # keeps the reports
if [ -e "$work/published" ]; then echo "tonight's model is published already" >&2; exit 1; fi
of() { node -p 'JSON.parse(fs.readFileSync(process.argv[1]))[process.argv[2]]' "$1/manifest.json" "$2"; }
model=$(of "$web/$live" architecture)

# The live model has learnt everything but the last day, so that day, less an hour, tests it beside a model that goes on from it
# without that day. Ends the script with exit code 3 if the second is worse, beyond the 95 % interval.
npx aisle split --data "$events" --out "$work/parts" --by start --test last:23h
npx aisle compare --data "$work/parts/train.tsv.gz" --test "$work/parts/test.tsv.gz" --models "$model" \
  --from "$web/$live" --at-least "$web/$live" --out "$work/report"

# What is published has learnt the last day, too: after its validation it trains again on everything.
npx aisle train --data "$events" --model "$model" --from "$web/$live" --out "$work/$model" --restart

version=$(of "$work/$model" version)
rm -rf "$web/.new"
mkdir "$web/.new"
cp "$work/$model"/*.[bjs]* "$web/.new"   # what pages load; report.html shows sessions of the log
[ -e "$web/$version" ] || mv "$web/.new" "$web/$version"
printf '%s\n' "$version" > "$web/live.new"
mv "$web/live.new" "$web/live"     # the switch: the page's template puts it into data-model-url
touch "$work/published"
echo "$live is replaced by $version"
