/** Writes the files of a catalogue: its products in parts, their other names, and what stands for the new ones. */
import { checkAliases, MAX_ALIASES } from '../../checkpoint/aliases';
import { COLD_START, PART_PRODUCTS, partName, partsOfPage } from '../../checkpoint/catalogue-folder';
import { ALIASES, type FileEntry, RULES } from '../../checkpoint/manifest';
import { defined } from '../defined';
import { type createSpool, writeCatalogueFolder } from '../files/catalogue-folder';
import { hashOf } from '../files/disk';
import type { Entry } from './dialects';
import { EXAMPLES } from './intake';
import { NearestProducts } from './nearest-products';
import { aliasesOf, productOf, type ResolvedIndex } from './product-index';

/** The records of the feeds, as `Intake` adds them. */
export type Spool = Awaited<ReturnType<typeof createSpool>>;

export type Written = Awaited<ReturnType<typeof writeCatalogue>>;

/** Known products that stand for a new one. */
const NEIGHBOURS = 5;
/** Characters of a piece of a file. */
const PIECE = 1 << 16;

/**
 * Writes the files, in one or two passes over the records: first what the model knows.
 *
 * @param records How many the spool has.
 */
export async function writeCatalogue(
  { out, lang }: { readonly out: string; readonly lang?: string },
  spool: Spool,
  resolved: ResolvedIndex,
  records: number,
  hasModel: boolean,
  rules: readonly unknown[] | undefined,
  signal: AbortSignal | undefined,
) {
  const missing = { title: 0, url: 0, image: 0, price: 0, currency: 0 };
  const unknown: string[] = [];
  const known = new NearestProducts();
  let names = 0;
  /** Names beyond the most that one product may have. */
  let namesCut = 0;
  let namesCutExample: string | undefined;

  async function* products(): AsyncGenerator<string> {
    for (const isKnown of hasModel ? [true, false] : [false]) {
      let record = 0;
      for await (const line of spool.lines()) {
        const published = resolved.published(record++);
        if (!published || published.isKnown !== isKnown) continue;
        const item = JSON.parse(line) as Entry['item'];
        const body = productOf(item, published);
        const { price } = body;
        for (const field of ['title', 'url', 'image', 'price'] as const)
          if (body[field] === undefined) missing[field]++;
        if (price !== undefined && item.currency === undefined) missing.currency++;
        if (isKnown) known.add(published.ids[0]!, item);
        else if (hasModel && unknown.length < EXAMPLES) unknown.push(...published.ids);
        for (const id of published.ids) yield JSON.stringify({ id, ...body });
      }
    }
  }

  /** Of what the model knows; without a model, of all. */
  function* aliases(): Generator<string> {
    for (let record = 0; record < records; record++) {
      const { ids, isKnown, also, group } = resolved.published(record) ?? {};
      if (!ids || isKnown !== hasModel) continue;
      for (const [k, id] of ids.entries()) {
        // Several ids of one product: its other names lead to the first.
        const others = k === 0 ? also!.slice(0, MAX_ALIASES) : [];
        if (k === 0 && also!.length > MAX_ALIASES) {
          namesCut += also!.length - MAX_ALIASES;
          namesCutExample ??= id;
        }
        const entry = aliasesOf(id, others, group);
        if (!entry) continue;
        names += others.length;
        checkAliases({ [id]: entry }); // pages refuse the whole catalogue for one wrong entry
        yield `${JSON.stringify(id)}:${JSON.stringify(entry)}`;
      }
    }
  }

  /** Of the new products that a page reads; written after the products, which fill `known`. */
  async function* coldStart(): AsyncGenerator<string> {
    let record = 0;
    let left = PART_PRODUCTS * partsOfPage(parts.length, resolved.known) - resolved.known;
    for await (const line of spool.lines()) {
      const published = resolved.published(record++);
      if (!published || published.isKnown) continue;
      if (left-- === 0) break;
      const neighbours = known.nearest(JSON.parse(line), NEIGHBOURS);
      if (neighbours.length > 0) yield `${JSON.stringify(published.ids[0])}:${JSON.stringify(neighbours)}`;
    }
  }

  const all = products();
  const parts = Array.from({ length: Math.ceil(resolved.products / PART_PRODUCTS) }, (_, k) => partName(k + 1));
  const files: Record<string, AsyncIterable<string> | Iterable<string>> = {};
  parts.forEach((name, k) => {
    files[name] = pieces('[', next(all, Math.min(PART_PRODUCTS, resolved.products - k * PART_PRODUCTS)), ']');
  });
  files[ALIASES] = pieces('{', aliases(), '}');
  const hasNew = hasModel && resolved.products > resolved.known;
  if (hasNew) files[COLD_START] = pieces('{', coldStart(), '}');
  if (rules) files[RULES] = [`${JSON.stringify(rules, null, 2)}\n`];
  const result = { version: '', files: {} as Readonly<Record<string, FileEntry>> };
  const manifestOf = (entries: Readonly<Record<string, FileEntry>>): string => {
    result.files = entries;
    result.version = hashOf(JSON.stringify(entries)).slice(0, 12);
    const { products, known } = resolved;
    const names = { aliases: ALIASES, ...(hasNew && { coldStart: COLD_START }) };
    const about = { version: result.version, ...defined({ lang }), products, ...(hasModel && { known }) };
    return `${JSON.stringify({ ...about, parts, ...names, files: entries }, null, 2)}\n`;
  };
  try {
    await writeCatalogueFolder(out, files, manifestOf, signal);
  } finally {
    await all.return(undefined); // where the disk refused a part, the records are still open
  }
  return { ...result, missing, unknown: unknown.slice(0, EXAMPLES), names, namesCut, namesCutExample };
}

/** The next of the products. The others are still to come: the iterator stays open. */
async function* next(products: AsyncIterator<string>, count: number): AsyncGenerator<string> {
  for (let k = 0; k < count; k++) yield (await products.next()).value;
}

/** A JSON list or object, one entry a line, in pieces. */
async function* pieces(
  open: string,
  entries: Iterable<string> | AsyncIterable<string>,
  close: string,
): AsyncGenerator<string> {
  let text = open;
  let separator = '\n';
  for await (const entry of entries) {
    text += `${separator}${entry}`;
    separator = ',\n';
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  yield `${text}\n${close}\n`;
}
