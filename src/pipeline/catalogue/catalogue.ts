/**
 * Product feeds to a catalogue that lives apart from the model: static files that a shop refreshes without training.
 *
 *     catalogue.json             [{ "id", "title", "url", "image", "price", … }, …], at most 10,000 products
 *     catalogue-2.json …         those that follow, in the same form
 *     cold-start.json            { "<new id>": [["<known id>", weight], …], … }, where there is a model: the nearest known products
 *                                of the new ones that a page reads
 *     aliases.json               { "<id>": { "also": ["<sku>", …], "group": "<item_group_id>" }, … }
 *     rules.json                 what the shop pins, boosts, buries and excludes in its slots, where it has such rules
 *     catalogue-manifest.json    { "version", "lang", "products", "known", "parts": ["catalogue.json", …], "aliases", "files" }
 *
 * Products that the model knows come first, so that a page may stop one part after those that hold `known` products. Every page
 * reads the same parts, whoever visits it.
 */
import { MAX_ALIASES } from '../../checkpoint/aliases';
import type { FileEntry } from '../../checkpoint/manifest';
import { checkRules } from '../../checkpoint/rules';
import { RecommenderError } from '../../errors';
import { quoted } from '../../session/columns';
import { defined } from '../defined';
import { badInput, isAborted } from '../errors';
import { readArtifactFolder } from '../files/artifact-folder';
import { createSpool, openFeed, refuseForeignFolder } from '../files/catalogue-folder';
import { readInput } from '../files/disk';
import { peakMemory, stopwatch } from '../files/usage';
import { whole } from '../format';
import { type Observer, warn } from '../observer';
import { readRules } from '../rules';
import { type Entry, type EntryOptions, shown } from './dialects';
import { EXAMPLES, type FeedReport, Intake, nothingToShow } from './intake';
import { MATCH_KINDS, type MatchKind, ProductIndex, type ResolvedIndex } from './product-index';
import { type Written, writeCatalogue } from './write-catalogue';

/** Options of `catalogue`. */
export interface CatalogueOptions extends Observer, Omit<EntryOptions, 'now' | 'decimalComma' | 'features'> {
  /** Names of what is published besides, as features. */
  readonly features?: readonly string[];
  /** Paths of feeds, plain or gzip. Of two rows with one id, the last one counts. */
  readonly feeds: readonly string[];
  /** Folder for the catalogue; made where it is missing. */
  readonly out: string;
  /** Folder of the model: the report says what it knows, and its ids are written where names match. */
  readonly artifact?: string;
  /** Language of the feeds (BCP 47), for the manifest and for how numbers are written. */
  readonly lang?: string;
  /** Path of the shop's rules for its slots, to put beside the catalogue. Default: none. */
  readonly rules?: string;
  /** Bad rows that are counted before the next one is refused. Default 0. */
  readonly skipBadRows?: number;
  /** Milliseconds since 1970, for sales that are over. Default: the clock. */
  readonly now?: number;
}

/** What `aisle catalogue --json` prints. */
export interface CatalogueReport {
  /** The folder. */
  readonly out: string;
  /** Of the catalogue, as its manifest says: other products, another version. */
  readonly version: string;
  /** What was recognised in each feed, and which columns were left out. */
  readonly feeds: readonly FeedReport[];
  /** Products that are published. */
  readonly products: number;
  /** How many of them are sold out. */
  readonly soldOut: number;
  /** Drafts, disabled and hidden products: they are not published. */
  readonly hidden: number;
  /** Rows that belong to the product of another row. */
  readonly variants: number;
  /** Variants of hidden products, or of none of the feeds: they are not published. */
  readonly orphans: number;
  /** Rows with the id of an earlier one, which they replace. */
  readonly replaced: number;
  /** Bad rows that `skipBadRows` tolerated. */
  readonly badRows: number;
  /** The messages of the first few. */
  readonly badRowExamples: readonly string[];
  /** Published products without this field. */
  readonly missing: Readonly<Record<'title' | 'url' | 'image' | 'price' | 'currency', number>>;
  /** Names in `aliases.json`, and names left out because several products have them. */
  readonly aliases: { readonly names: number; readonly shared: number };
  /** What the model of `artifact` knows of it. */
  readonly model?: ModelMatch;
  /** Length and SHA-256 of each file, by name. */
  readonly files: Readonly<Record<string, FileEntry>>;
  /** By the clock. */
  readonly seconds: number;
  /** Of processor time. */
  readonly processorSeconds: number;
  /** The most that the process has held. */
  readonly peakMemoryBytes: number;
}

/** What the feeds have in common with a model's vocabulary. */
export interface ModelMatch {
  readonly name: string;
  readonly version: string;
  readonly items: number;
  /** Items that are products by their id, by another name, and not at all. */
  readonly direct: number;
  readonly byAlias: number;
  readonly missing: number;
  readonly missingExamples: readonly string[];
  /** Products that the model does not know. */
  readonly unknown: number;
  readonly unknownExamples: readonly string[];
  /** Items whose id a product has in this field. */
  readonly byField: Readonly<Record<MatchKind, number>>;
  /** What to do, where another field would match more. */
  readonly advice?: string;
}

/**
 * Reads product feeds and writes a catalogue. Only the fields of `CatalogueItem` are published, and `features` by name.
 *
 * @throws RecommenderError `bad-input` as `FILE:LINE: what, expected, got`, where a feed has no product, or where the model
 *   knows none of them; `bad-artifact`; `io`; `aborted`.
 */
export async function catalogue(options: CatalogueOptions): Promise<CatalogueReport> {
  const spent = stopwatch();
  const { feeds, out, artifact, signal, now = Date.now() } = options;
  await refuseForeignFolder(out);
  const model = artifact === undefined ? undefined : await readArtifactFolder(artifact);
  const rules = options.rules === undefined ? undefined : await readRules(options.rules, { readInput });
  const index = new ProductIndex(model?.itemIds ?? [], now / 1000);
  const spool = await createSpool();
  try {
    const add = (item: Entry['item']) => spool.add(JSON.stringify(item));
    const intake = new Intake(options, index, { add, drain: () => spool.drain() }, now / 1000);
    const reports: FeedReport[] = [];
    for (const feed of feeds) reports.push(await intake.read(feed, await openFeed(feed)));
    const resolved = index.resolve();
    if (resolved.shown === 0) throw nothingToShow(feeds, intake.rows, resolved);
    const match = model && matchOf(model.info, model.itemIds.length, resolved, (kind) => intake.columnOf(kind));
    if (match && match.missing === match.items) throw nothingMatches(match, index.otherCase(), feeds);
    const ownRules = rules && rulesByIds(rules, resolved, options);
    const written = await writeCatalogue(
      options,
      spool,
      resolved,
      intake.records,
      match !== undefined,
      ownRules,
      signal,
    );
    intake.remark();
    remark(options, written, resolved);
    if (match?.advice) warn(options, match.advice);
    return {
      out,
      version: written.version,
      feeds: reports,
      products: resolved.products,
      soldOut: resolved.soldOut,
      hidden: resolved.hidden,
      variants: resolved.variants + index.merged,
      orphans: resolved.orphans,
      replaced: index.replaced,
      badRows: intake.badRows,
      badRowExamples: intake.badRowExamples,
      missing: written.missing,
      aliases: { names: written.names, shared: resolved.sharedNames },
      ...defined({ model: match && { ...match, unknownExamples: written.unknown } }),
      files: written.files,
      ...spent(),
      peakMemoryBytes: peakMemory(),
    };
  } catch (error) {
    throw isAborted(error) ? new RecommenderError('aborted', `Interrupted; ${out} is as it was.`) : error;
  } finally {
    await spool.remove();
  }
}

/** The rules with the catalogue's ids, also where they have other names of its products. Warns of ids that are no product. */
function rulesByIds(
  rules: readonly unknown[],
  { idsOf }: ResolvedIndex,
  options: CatalogueOptions,
): readonly unknown[] {
  const missing = new Set<string>();
  const own = (rules as readonly { readonly id?: string | readonly string[] }[]).map((rule) => {
    if (rule.id === undefined) return rule;
    const ids = [rule.id].flat().flatMap((name) => {
      const found = idsOf(name);
      if (found.length === 0) missing.add(name);
      return found.length === 0 ? [name] : found;
    });
    return { ...rule, id: ids.length === 1 ? ids[0] : [...new Set(ids)] };
  });
  const { wrong } = checkRules(own); // one name may be several ids, and a rule has at most 1,000
  if (wrong.length > 0) badInput(`${options.rules}: ${wrong.join('; ')}.`);
  if (missing.size > 0) {
    const [first] = missing;
    warn(
      options,
      `${options.rules}: ids that are of no published product, or names of several: ${whole(missing.size)}, such as ` +
        `${shown(first!)}. No rule changes anything for such an id.`,
    );
  }
  return own;
}

/** Warns of what a shop should know of what is written. */
function remark(
  options: Observer,
  { missing, namesCut, namesCutExample }: Written,
  { shown: all }: ResolvedIndex,
): void {
  const say = (count: number, text: string): void => {
    if (count > 0) warn(options, `${whole(count)} ${text}`);
  };
  say(
    namesCut,
    `aliases were left out, such as of ${shown(namesCutExample ?? '')}: a page reads at most ` +
      `${whole(MAX_ALIASES)} of one product.`,
  );
  say(missing.title, `of ${whole(all)} products have no title.`);
  if (missing.currency > 0) {
    warn(options, `${whole(missing.currency)} prices have no currency; pass \`currency\` EUR, or name its column.`);
  }
}

function matchOf(
  { name, version }: { readonly name: string; readonly version: string },
  items: number,
  resolved: ResolvedIndex,
  columnOf: (kind: MatchKind) => string | undefined,
): Omit<ModelMatch, 'unknownExamples'> {
  const { known, direct, matches: byField } = resolved;
  const kinds = MATCH_KINDS.filter((kind) => kind !== 'id' && columnOf(kind) !== undefined);
  const best = kinds.sort((a, b) => byField[b] - byField[a])[0];
  const share = (count: number): string => `${((100 * count) / items).toFixed(0)} %`;
  const column = best && columnOf(best);
  const advice =
    column !== undefined && byField[best!] > known + items / 20
      ? `${share(known)} of the model's ${whole(items)} items are in the feed; by ${column} ${share(byField[best!])} ` +
        `would match: \`columns\` id=${quoted(column)}`
      : undefined;
  return {
    name,
    version,
    items,
    direct,
    byAlias: known - direct,
    missing: items - known,
    missingExamples: resolved.missing(EXAMPLES),
    unknown: resolved.products - known,
    byField,
    ...defined({ advice }),
  };
}

function nothingMatches(
  match: Omit<ModelMatch, 'unknownExamples'>,
  otherCase: ReturnType<ProductIndex['otherCase']>,
  feeds: readonly string[],
): RecommenderError {
  const [id = '', name = ''] = otherCase ?? [];
  const spelt =
    otherCase &&
    `It has ${shown(id)} where the feed has ${shown(name)}: upper and lower case count. ` +
      'Spell ids in the log as the feed and the pages do, and train again.';
  const what =
    match.advice ??
    spelt ??
    `No field of the products that are published has the model's ids, which look like ${match.missingExamples.slice(0, 3).map(shown).join(', ')}. ` +
      'Name the column that has them: `columns` id=…';
  return new RecommenderError(
    'bad-input',
    `${feeds.join(', ')}: the model ${match.name} knows none of the products. ${what}`,
  );
}
