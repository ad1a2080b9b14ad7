#!/bin/sh
# Trains tonight's model, and publishes it unless it is worse than the one that is live.
#   nightly.sh EVENTS WEB    a folder of parts with all events until yesterday; the folder that is served as /models/
set -eu
events=$1 web=$2
live=$(cat "$web/live")            # the version that pages load
work=nightly/$(date +%F)           # keeps the report

# The live model was trained without the events of the last day, too, so that day tests both.
npx aisle split --data "$events" --out "$work/parts" --by start --test last:1d
# Ends the script with exit code 3 if the new model is worse, beyond the 95 % interval.
npx aisle compare --data "$work/parts/train.tsv.gz" --test "$work/parts/test.tsv.gz" --models gru4rec --preset auto \
  --at-least "$web/$live" --out "$work/report" --json > "$work/report.json"

trained=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1])).gate.trained' "$work/report.json")
version=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1])).version' "$trained/manifest.json")
rm -rf "$web/.new"
cp -R "$trained" "$web/.new"
[ -e "$web/$version" ] || mv "$web/.new" "$web/$version"
printf '%s\n' "$version" > "$web/live.new"
mv "$web/live.new" "$web/live"     # the switch: the page's template puts it into data-model-url
echo "$live is replaced by $version"
