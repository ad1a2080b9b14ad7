/** `aisle catalogue`: product feeds to the catalogue of a live page. */
import { type Command, InvalidArgumentError } from 'commander';
import { type CatalogueOptions, type CatalogueReport, catalogue } from '../../pipeline/catalogue/catalogue';
import { FIELDS, type Field } from '../../pipeline/catalogue/dialects';
import { printable, whole } from '../../pipeline/format';
import { contextOf, print } from '../context';
import { integer, parseList } from '../options';
import { observe } from '../progress';
import { table } from '../table';

interface CatalogueFlags extends Omit<CatalogueOptions, 'feeds' | 'signal'> {
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('catalogue')
    .description('turn product feeds into the catalogue of a live page, apart from the model')
    .argument('<feed...>', 'product feeds, plain or .gz; of two rows with one id, the last one counts')
    .requiredOption('--out <dir>', 'folder for catalogue.json and further parts, aliases.json, catalogue-manifest.json')
    .option('--artifact <dir>', 'model: report what it knows, and write its ids where other names match them')
    .option('--columns <list>', `columns of the feed by field: id=…,title=…; fields: ${FIELDS.join(' ')}`, parseFields)
    .option('--features <names>', 'further columns to publish, separated by commas; default: none', parseList)
    .option('--currency <code>', 'of prices without one, such as EUR', parseCurrency)
    .option('--lang <code>', 'language of the feed, such as de: also how it writes numbers')
    .option('--rules <file>', 'rules.json: what the shop pins, boosts, buries and excludes in its slots')
    .option('--skip-bad-rows <n>', 'tolerate and count up to n bad rows; default: 0', integer(0))
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      `
Recognised by their content: Google Merchant Center (TSV, XML as RSS 2.0 or Atom), product exports of Shopify, WooCommerce
and Magento 2 (CSV), JSON (a list, or an object a line), any table with a header. Variants of the three exports are
aliases of their product. Only fields of the catalogue and --features are published; other columns are listed and left out.

Examples:
  $ aisle catalogue feed.xml --out catalogue --artifact my-model
  $ aisle catalogue products.csv.gz --out catalogue --columns id=article,title=name --features colour,size --currency EUR
`,
    )
    .action(run);
}

async function run(feeds: readonly string[], flags: CatalogueFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const { json: _, ...options } = flags;
  const report = await catalogue({ ...options, feeds, ...observe(context) });
  print(context, flags, report, () => textOf(report));
}

function parseFields(text: string): Partial<Record<Field, string>> {
  const columns: Partial<Record<Field, string>> = {};
  // A comma ends a name only if another field follows, because names may hold commas.
  for (const part of text.split(/,(?=[a-z_]+=)/)) {
    const at = part.indexOf('=');
    const field = FIELDS.find((name) => name === part.slice(0, at));
    if (!field || at + 1 === part.length) {
      throw new InvalidArgumentError(`Expected FIELD=COLUMN with a field of ${FIELDS.join(', ')}; got "${part}".`);
    }
    columns[field] = part.slice(at + 1);
  }
  return columns;
}

function parseCurrency(text: string): string {
  if (/^[A-Z]{3}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected a code of three letters, such as EUR.');
}

function textOf(report: CatalogueReport): string {
  const { feeds, products, soldOut, hidden, variants, orphans, aliases, model, files, out, version } = report;
  const counts: [string, number][] = [
    ['products', products],
    ['sold out', soldOut],
    ['hidden in the shop', hidden],
    ['variants', variants],
    ['variants, not shown', orphans],
    ['aliases', aliases.names],
    ['shared, left out', aliases.shared],
  ];
  const shown = counts.filter(([name, count]) => count > 0 || name === 'products');
  const lines = [
    ...feeds.flatMap(({ file, dialect, format, rows, leftOut }) => [
      `${file}: ${dialect}, ${format}, ${whole(rows)} rows`,
      ...(leftOut.length > 0 ? [`  not published: ${leftOut.map(printable).join(', ')}`] : []),
    ]),
    ...table(
      shown.map(([name, count]) => [`  ${name}`, whole(count)]),
      [-22, 11],
    ),
    ...(model ? modelLines(model) : []),
    `${out}: ${Object.keys(files).length} files, version ${version}`,
  ];
  return `${lines.join('\n')}\n`;
}

function modelLines(model: NonNullable<CatalogueReport['model']>): string[] {
  const { name, items, direct, byAlias, missing, missingExamples, unknown, unknownExamples, byField } = model;
  const such = (examples: readonly string[]): string =>
    examples.length > 0 ? `  such as ${examples.slice(0, 3).map(printable).join(', ')}` : '';
  const percent = (count: number): string => `${((100 * count) / items).toFixed(0)} %`;
  const fields = Object.entries(byField).filter(([, count]) => count > 0);
  return [
    `Model ${name}, ${whole(items)} items`,
    ...table(
      [
        ['  by their id', whole(direct), ''],
        ['  by another name', whole(byAlias), ''],
        ['  not in the feed', whole(missing), such(missingExamples)],
        ['  unknown to the model', whole(unknown), such(unknownExamples)],
      ],
      [-22, 11, -1],
    ),
    `  by field: ${fields.map(([field, count]) => `${field} ${percent(count)}`).join(', ')}`,
  ];
}
