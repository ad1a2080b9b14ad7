/** What stays in memory of a feed: ids and other names, and which record of the feed tells what of which product. */
import { MAX_ALIAS } from '../../checkpoint/aliases';
import { type ItemAliases, isAvailable } from '../../checkpoint/artifact';
import { growingFloat64, growingInt32, growingUint8 } from '../../session/growing';
import { Interner } from '../../session/interner';
import { defined } from '../defined';
import { BadRow, type Entry, NAME_KINDS, type NameKind, priceNow, shown } from './dialects';

const NONE = -1;
/** Of a name: several products have it. */
const SHARED = -2;
/** In place of the parent of a variant: a later row says what holds of it. */
const REPLACED = -3;

/** What is tried against a model's vocabulary. */
export const MATCH_KINDS = [...NAME_KINDS, 'group'] as const;
export type MatchKind = NameKind | 'group';
const PLATFORM = NAME_KINDS.indexOf('platform');

/**
 * Which of several rows of a feed with one id counts: the last one; the first that is available, where ids are of groups of
 * variants; or the first one, where the dialect repeats a product for each of its variants. A later feed counts in each case.
 */
export type Counts = 'last' | 'first available' | 'first';

/** How the product of a record is published. */
export interface Published {
  /** Its ids in the catalogue: those that the model knows it by, else its own. */
  readonly ids: readonly string[];
  readonly isKnown: boolean;
  /** The lowest price of its variants, for a record that says none. */
  readonly price: number | undefined;
  /** The best stock of its variants, in place of the record's, unless that is sold out itself. */
  readonly availability: string | undefined;
  /** Other names that lead to this product alone. */
  readonly also: readonly string[];
  readonly group: string | undefined;
}

/** The stocks of variants, the worst first; 0 is that of a product without variants. */
const STOCKS = [undefined, 'out of stock', 'backorder', 'in stock'] as const;
const SOLD_OUT = 1;

/** Whether the id of a product is its number in the shop: such an id may be another product's SKU. */
const NUMBERS = { unknown: 0, other: 1, id: 2 } as const;

function stockOf(item: Entry['item']): number {
  if (!isAvailable(item)) return SOLD_OUT;
  return item.availability === undefined ? 3 : Math.max(2, STOCKS.indexOf(item.availability as 'in stock'));
}

/**
 * Numbers ids and names, and resolves them once all feeds are read. Texts are interned and everything else is in typed
 * arrays: about 350 bytes for a product with five names.
 */
export class ProductIndex {
  private readonly texts = new Interner();
  /** Codes below this are the model's ids. */
  private readonly modelItems: number;

  /** By code: the product whose id it is. */
  private readonly itemOf = growingInt32();
  // By product, hidden ones included.
  private readonly id = growingInt32();
  private readonly group = growingInt32();
  /** The record that counts. */
  private readonly record = growingInt32();
  /** 0 hidden, 1 sold out, 2 available. */
  private readonly rank = growingUint8();
  /** One of `NUMBERS`. */
  private readonly numbers = growingUint8();
  /** The first name, listed variant and variant that count: those before are of rows that were replaced. */
  private readonly firstName = growingInt32();
  private readonly firstListed = growingInt32();
  private readonly firstVariant = growingInt32();
  // By record.
  private readonly itemOfRecord = growingInt32();
  // By name: its kind, its code, and the product, or the variant v as −1 − v.
  private readonly nameKind = growingUint8();
  private readonly name = growingInt32();
  private readonly owner = growingInt32();
  // By variant.
  private readonly variantId = growingInt32();
  private readonly parent = growingInt32();
  private readonly isByNumber = growingUint8();
  private readonly price = growingFloat64();
  private readonly stock = growingUint8();
  // By variant that a product lists.
  private readonly listed = growingInt32();
  private readonly listedBy = growingInt32();

  /** By code, up to the last variant's: the last variant with this id. */
  private readonly variantOf = growingInt32();
  /** Where the feed in work begins. */
  private feed = { record: 0, variant: 0 };

  /** Rows that replaced an earlier one with the same id, and the first such id. */
  replaced = 0;
  replacedExample: string | undefined;
  /** Rows that joined a product that was there, where ids are those of groups. */
  merged = 0;
  /** Names and groups that are too long for `aliases.json`, and the first of them. */
  tooLong = 0;
  tooLongExample: string | undefined;

  /** @param now Seconds since 1970: which price of a variant holds. */
  constructor(
    modelIds: readonly string[],
    private readonly now: number,
  ) {
    for (const id of modelIds) this.code(id);
    this.modelItems = this.texts.size;
  }

  /** What is added from here on replaces what earlier feeds say of the same products. */
  beginFeed(): void {
    this.feed = { record: this.itemOfRecord.length, variant: this.variantId.length };
  }

  /**
   * Takes an entry.
   *
   * @returns Whether the entry is the next record.
   */
  add(entry: Entry, counts: Counts): boolean {
    const { kind, id, names, variants = [], group, item } = entry;
    const code = id === '' ? NONE : this.code(id);
    if (code === NONE && id !== '') throw new BadRow('the id holds a NUL character', `expected text, got ${shown(id)}`);
    if (kind === 'variant') {
      this.addVariant(entry, code);
      return false;
    }
    const rank = kind === 'hidden' ? 0 : isAvailable(item) ? 2 : 1;
    let at = this.itemOf.get(code);
    const isNew = at === NONE;
    const isEarlier = !isNew && this.record.get(at) < this.feed.record;
    const replaces = !isNew && (isEarlier || counts === 'last');
    const numbers = names.platform === undefined ? NUMBERS.unknown : names.platform === id ? NUMBERS.id : NUMBERS.other;
    if (!isNew && numbers + this.numbers.get(at) === NUMBERS.id + NUMBERS.other) {
      const what = `the id ${shown(id)} is the SKU of one product and the number of another that has no SKU`;
      throw new BadRow(what, 'expected one product for each id; give the other one a SKU');
    }
    const groupCode = group === undefined || this.isTooLong(group) ? NONE : this.code(group);
    if (isNew) {
      at = this.id.length;
      this.itemOf.set(code, at);
      this.id.push(code);
      for (const column of [this.record, this.rank, this.group, this.numbers]) column.push(0);
      for (const column of [this.firstName, this.firstListed, this.firstVariant]) column.push(0);
    } else if (replaces) {
      this.firstName.set(at, this.name.length);
      this.firstListed.set(at, this.listed.length);
      if (isEarlier) this.firstVariant.set(at, this.feed.variant);
      this.countReplaced(id);
    } else if (counts === 'first available') this.merged++;
    const variant = this.lastVariant(code);
    if (variant !== NONE && variant < this.feed.variant) this.replaceVariant(variant, id); // it has become a product
    this.numbers.set(at, numbers);
    this.addNames(names, at);
    for (const variant of variants) {
      this.listed.push(this.code(variant));
      this.listedBy.push(at);
    }
    if (!isNew && !replaces && rank <= this.rank.get(at)) return false;
    this.record.set(at, this.itemOfRecord.length);
    this.itemOfRecord.push(at);
    this.rank.set(at, rank);
    this.group.set(at, groupCode);
    return true;
  }

  private addVariant({ id, names, parent, isByNumber = false, item }: Entry, code: number): void {
    const [variant, parentCode] = [this.variantId.length, parent === undefined ? NONE : this.code(parent)];
    if (code !== NONE) {
      const before = this.lastVariant(code);
      if (before !== NONE && this.parent.get(before) === parentCode) this.replaceVariant(before, id);
      for (let next = this.variantOf.length; next <= code; next++) this.variantOf.push(NONE);
      this.variantOf.set(code, variant);
      const product = this.itemOf.get(code);
      if (product !== NONE && this.record.get(product) < this.feed.record) {
        this.rank.set(product, 0); // it has become a variant
        this.countReplaced(id);
      }
    }
    this.variantId.push(code);
    this.parent.push(parentCode);
    this.isByNumber.push(isByNumber ? 1 : 0);
    this.price.push(priceNow(item, this.now) ?? Number.NaN);
    this.stock.push(stockOf(item));
    if (code !== NONE) this.addName('id', code, -1 - variant);
    this.addNames(names, -1 - variant);
  }

  private lastVariant(code: number): number {
    return code < this.variantOf.length ? this.variantOf.get(code) : NONE;
  }

  private replaceVariant(variant: number, id: string): void {
    if (this.parent.get(variant) === REPLACED) return;
    this.parent.set(variant, REPLACED);
    this.countReplaced(id);
  }

  private countReplaced(id: string): void {
    this.replaced++;
    this.replacedExample ??= id;
  }

  /** An id of the model, and a name of the feeds that differs from it in upper and lower case alone. */
  otherCase(): readonly [id: string, name: string] | undefined {
    const { texts, modelItems } = this;
    const ids = new Map<string, string>();
    for (let code = 0; code < modelItems; code++) ids.set(texts.text(code).toLowerCase(), texts.text(code));
    for (let code = modelItems; code < texts.size; code++) {
      const name = texts.text(code);
      const id = ids.get(name.toLowerCase());
      if (id !== undefined) return [id, name];
    }
    return undefined;
  }

  /** Assigns variants and names to products, once the last entry is in. */
  resolve(): ResolvedIndex {
    const { texts, id, rank } = this;
    const isShown = (item: number): boolean => item >= 0 && rank.get(item) > 0;
    /** By code: the product that is meant. */
    const target = new Int32Array(texts.size).fill(NONE);
    for (let item = 0; item < id.length; item++) if (isShown(item)) target[id.get(item)] = item;
    const isId = (code: number): boolean => target[code]! >= 0 && id.get(target[code]!) === code;
    /** Names that cannot be used: each leads to more than one product. */
    const refused = new Set<number>();
    const claim = (code: number, item: number): void => {
      if (target[code] === item) return;
      if (target[code] === NONE) target[code] = item;
      else {
        refused.add(code);
        if (!isId(code)) target[code] = SHARED;
      }
    };
    for (let n = 0; n < this.name.length; n++) {
      const owner = this.owner.get(n);
      if (isShown(owner) && n >= this.firstName.get(owner)) claim(this.name.get(n), owner);
    }
    const variants = this.resolveVariants(target, isShown);
    for (let n = 0; n < this.name.length; n++) {
      const owner = this.owner.get(n);
      if (owner < 0 && variants.product[-1 - owner]! >= 0) claim(this.name.get(n), variants.product[-1 - owner]!);
    }
    const matches = this.countMatches(variants.product, isShown);
    // The names of each product, one after the other.
    const starts = new Int32Array(id.length + 1);
    for (const item of target) if (item >= 0) starts[item + 1]!++;
    for (let item = 0; item < id.length; item++) starts[item + 1]! += starts[item]!;
    const names = new Int32Array(starts[id.length]!);
    const next = starts.slice();
    target.forEach((item, code) => {
      if (item >= 0) names[next[item]!++] = code;
    });
    const { modelItems } = this;
    const counts = { products: 0, known: 0, direct: 0, shown: 0, soldOut: 0, hidden: 0 };
    const knownNames = (item: number): number => {
      let count = 0;
      for (let n = starts[item]!; n < starts[item + 1]!; n++) if (names[n]! < modelItems) count++;
      return count;
    };
    for (let item = 0; item < id.length; item++) {
      if (!isShown(item)) counts.hidden++;
      else {
        const known = knownNames(item);
        const entries = Math.max(1, known);
        counts.shown++;
        counts.products += entries;
        counts.known += known;
        if (id.get(item) < modelItems) counts.direct++;
        if (rank.get(item) === 1 || variants.stock[item] === SOLD_OUT) counts.soldOut += entries;
      }
    }
    /** Of a product: the codes of its names, and of its ids in the catalogue. */
    const codesOf = (item: number): readonly [all: Int32Array, written: readonly number[]] => {
      const codes = names.subarray(starts[item]!, starts[item + 1]!);
      const known = codes.filter((code) => code < modelItems);
      return [codes, known.length > 0 ? [...known] : [id.get(item)]];
    };
    return {
      ...counts,
      matches,
      sharedNames: refused.size,
      variants: variants.joined,
      orphans: variants.orphans,
      published: (record) => {
        const item = this.itemOfRecord.get(record);
        if (!isShown(item) || this.record.get(item) !== record) return undefined;
        const [codes, written] = codesOf(item);
        const group = this.group.get(item);
        const price = variants.price[item];
        return {
          ids: written.map((code) => texts.text(code)),
          isKnown: written[0]! < modelItems,
          price: price === undefined || Number.isNaN(price) ? undefined : price,
          availability: rank.get(item) === 1 ? undefined : STOCKS[variants.stock[item] ?? 0],
          also: Array.from(codes).flatMap((code) => (written.includes(code) ? [] : [texts.text(code)])),
          group: group === NONE ? undefined : texts.text(group),
        };
      },
      idsOf: (name) => {
        const item = target[this.code(name)] ?? NONE; // a name that no feed has gets a code behind all others
        if (item < 0) return [];
        const ids = codesOf(item)[1].map((code) => texts.text(code));
        return ids.includes(name) ? [name] : ids;
      },
      missing: (most) => {
        const examples: string[] = [];
        for (let code = 0; code < modelItems && examples.length < most; code++) {
          if (target[code]! < 0) examples.push(texts.text(code));
        }
        return examples;
      },
    };
  }

  /** The product of each variant, −1 where there is none; and by product the lowest price and the stock of its variants. */
  private resolveVariants(target: Int32Array, isShown: (item: number) => boolean) {
    const count = this.variantId.length;
    const items = count === 0 ? 0 : this.id.length;
    const product = new Int32Array(count).fill(NONE);
    const price = new Float64Array(items).fill(Number.NaN);
    const stock = new Uint8Array(items);
    const listedBy = new Int32Array(this.listed.length === 0 ? 0 : target.length).fill(NONE);
    for (let n = 0; n < this.listed.length; n++) {
      const by = this.listedBy.get(n);
      if (n >= this.firstListed.get(by)) listedBy[this.listed.get(n)] = by;
    }
    const byNumber = count === 0 ? target : this.byNumber(target.length, isShown);
    let [joined, orphans] = [0, 0];
    for (let v = 0; v < count; v++) {
      const parent = this.parent.get(v);
      if (parent === REPLACED) continue;
      const named = this.isByNumber.get(v) ? byNumber : target;
      const item = parent === NONE ? (listedBy[this.variantId.get(v)] ?? NONE) : named[parent]!;
      const owner = item < 0 && parent !== NONE ? this.itemOf.get(parent) : item; // also one that is hidden
      if (owner >= 0 && v < this.firstVariant.get(owner)) continue;
      if (!isShown(item)) {
        orphans++;
        continue;
      }
      joined++;
      product[v] = item;
      const cost = this.price.get(v);
      if (!Number.isNaN(cost) && !(price[item]! <= cost)) price[item] = cost;
      stock[item] = Math.max(stock[item]!, this.stock.get(v));
    }
    return { product, price, stock, joined, orphans };
  }

  /** By code: the product whose number in the shop it is. */
  private byNumber(length: number, isShown: (item: number) => boolean): Int32Array {
    const found = new Int32Array(length).fill(NONE);
    for (let n = 0; n < this.name.length; n++) {
      const owner = this.owner.get(n);
      if (this.nameKind.get(n) === PLATFORM && isShown(owner) && n >= this.firstName.get(owner)) {
        found[this.name.get(n)] = owner;
      }
    }
    return found;
  }

  /** How many of the model's items have an id that is a name of each kind, of a product that is published. */
  private countMatches(productOf: Int32Array, isShown: (item: number) => boolean): Record<MatchKind, number> {
    const found = MATCH_KINDS.map(() => new Uint8Array(this.modelItems));
    const mark = (kind: number, code: number): void => {
      if (code >= 0 && code < this.modelItems) found[kind]![code] = 1;
    };
    for (let n = 0; n < this.name.length; n++) {
      const owner = this.owner.get(n);
      const isReplaced = owner >= 0 && n < this.firstName.get(owner);
      if (!isReplaced && isShown(owner < 0 ? productOf[-1 - owner]! : owner))
        mark(this.nameKind.get(n), this.name.get(n));
    }
    for (let item = 0; item < this.id.length; item++) {
      if (!isShown(item)) continue;
      mark(MATCH_KINDS.indexOf('id'), this.id.get(item));
      mark(MATCH_KINDS.indexOf('group'), this.group.get(item));
    }
    const counts = MATCH_KINDS.map((kind, k) => [kind, found[k]!.reduce((sum, one) => sum + one, 0)]);
    return Object.fromEntries(counts);
  }

  private addNames(names: Entry['names'], owner: number): void {
    for (const kind of NAME_KINDS) {
      const text = names[kind];
      if (text === undefined || this.isTooLong(text)) continue;
      const code = this.code(text);
      if (code !== NONE) this.addName(kind, code, owner);
    }
  }

  /** Counts it where it is. */
  private isTooLong(name: string): boolean {
    if (name.length <= MAX_ALIAS) return false;
    this.tooLong++;
    this.tooLongExample ??= name;
    return true;
  }

  private addName(kind: NameKind, code: number, owner: number): void {
    this.nameKind.push(NAME_KINDS.indexOf(kind));
    this.name.push(code);
    this.owner.push(owner);
  }

  /** −1 for a text with a NUL character. */
  private code(text: string): number {
    const bytes = encoder.encode(text);
    const code = this.texts.intern(bytes, 0, bytes.length);
    if (code === this.itemOf.length) this.itemOf.push(NONE);
    return code;
  }
}

export interface ResolvedIndex {
  /** Products of the feeds that are published, and those that are not. */
  readonly shown: number;
  readonly hidden: number;
  /** Entries of the catalogue that are sold out. */
  readonly soldOut: number;
  /** Entries of the catalogue: a product that a model knows by several ids has one for each. */
  readonly products: number;
  /** Those that the model knows. */
  readonly known: number;
  /** Those that it knows by their own id. */
  readonly direct: number;
  /** Items of the model whose id a published product has as a name of this kind. */
  readonly matches: Readonly<Record<MatchKind, number>>;
  /** Names that several products have. */
  readonly sharedNames: number;
  /** Variants of products that are published. */
  readonly variants: number;
  /** All others that no later row replaces. */
  readonly orphans: number;
  /** How the product of a record is published; undefined where it is not, or by another record. */
  published(record: number): Published | undefined;
  /** The name itself where it is an id of the catalogue, else the ids of the one product that has it; none where there is none. */
  idsOf(name: string): readonly string[];
  /** First items of the model that no product is. */
  missing(most: number): readonly string[];
}

const encoder = new TextEncoder();

/** What is published of a product beside its id. */
export function productOf(item: Entry['item'], { price, availability }: Published): Entry['item'] {
  return { ...item, ...defined({ price: item.price ?? price, availability: availability ?? item.availability }) };
}

/** The entry of a product in `aliases.json`, if it has any. */
export function aliasesOf(id: string, also: readonly string[], group: string | undefined): ItemAliases | undefined {
  if (also.length === 0 && (group === undefined || group === id)) return undefined;
  return { ...(also.length > 0 && { also }), ...(group !== undefined && { group }) };
}
