/** The forms in which product feeds write prices, dates, stock and categories. */
import { DAY, parseIso } from '../../session/time';

export interface Money {
  readonly price: number;
  /** ISO 4217, where the text has it. */
  readonly currency?: string;
}

/** A number of digits with separators, with a currency before or after it. */
const MONEY = /^(?:([A-Z]{3})\s*)?(\d[\d.,'’\s]*?)(?:\s*([A-Z]{3}))?$/;

/** Digits alone, or in groups of thousands; groups before the last one may have two digits, as in India: `1,00,000`. */
const WHOLE = /^(?:\d+|\d{1,3}(?:[.,'’\s]+\d{2,3})*[.,'’\s]+\d{3})$/;

/** What `moneyOf` reads, for messages. */
export const MONEY_EXPECTED = 'expected an amount from 0 such as 15.00, 15.00 USD or 1.299,00 EUR';

/**
 * A price: `15.00 USD`, `USD 15.00`, `15,00`, `1.299,00 EUR`, `1,299.00`, `1 299`.
 *
 * Of two kinds of separators the last one is the decimal one; one that repeats separates thousands. A single comma or point
 * before exactly three digits: a comma separates thousands, a point decimals, or the other way round with `decimalComma`.
 *
 * @param decimalComma Whether the language of the feed writes `1.299,00`.
 * @returns Undefined for any other text.
 */
export function moneyOf(text: string, decimalComma = false): Money | undefined {
  const [, before, number, after] = MONEY.exec(text.trim()) ?? [];
  if (number === undefined || (before && after && before !== after)) return undefined;
  const digits = number.replace(/['’\s]/g, '');
  const separators = digits.replace(/\d/g, '');
  const last = separators.at(-1);
  const at = last === undefined ? -1 : digits.lastIndexOf(last);
  const isMixed = separators.includes('.') && separators.includes(',');
  const isThousands =
    !isMixed &&
    (separators.length > 1 || (digits.length - at === 4 && last === (decimalComma ? '.' : ',') && digits[0] !== '0'));
  const isDecimal = at >= 0 && !isThousands;
  if (isMixed && separators.indexOf(last!) < separators.length - 1) return undefined; // 1.2,3,4
  const point = isDecimal ? number.lastIndexOf(last!) : number.length;
  const [whole, fraction] = [number.slice(0, point).trim(), number.slice(point + 1).trim()];
  if (!WHOLE.test(whole) || /\D/.test(fraction)) return undefined; // 1.299.00, 12 34, 1.2 3
  const price = Number(`${whole.replace(/\D/g, '')}.${fraction}`);
  const currency = before ?? after;
  return Number.isFinite(price) ? { price, ...(currency && { currency }) } : undefined;
}

/** A price that `moneyOf` reads with a decimal comma in every language. */
export const DECIMAL_COMMA = /^\D*\d[\d'’\s.]*,\d{1,2}\D*$/;
/** A price whose only point is a decimal one, or separates thousands: the language decides. */
export const EITHER_POINT = /^\D*[1-9]\d{0,2}\.\d{3}\D*$/;

/** When a sale price holds, in seconds since 1970; an end that is missing is open. */
export interface Period {
  readonly from?: number;
  /** The first second after it. */
  readonly until?: number;
}

/** `2016-02-24T11:07+0100/2016-02-29T23:07+0100`; undefined where a date is none, or the end is before the start. */
export function periodOf(text: string): Period | undefined {
  const [from = '', until = '', ...more] = text.split('/');
  return more.length > 0 ? undefined : periodBetween(from, until);
}

/** The same of two cells, either of which may be empty. A date without a time means its whole day, UTC. */
export function periodBetween(from: string, until: string): Period | undefined {
  const [start, end] = [from, until].map((text) => (text.trim() === '' ? undefined : parseIso(text.trim())));
  if (Number.isNaN(start) || Number.isNaN(end)) return undefined;
  const last = end !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(until.trim()) ? end + DAY : end;
  if (start !== undefined && last !== undefined && last <= start) return undefined;
  return { ...(start !== undefined && { from: start }), ...(last !== undefined && { until: last }) };
}

const AVAILABILITY: Readonly<Record<string, string>> = {
  ...{ instock: 'in stock', available: 'in stock', '1': 'in stock', true: 'in stock', yes: 'in stock' },
  ...{ outofstock: 'out of stock', soldout: 'out of stock', '0': 'out of stock', false: 'out of stock' },
  ...{ no: 'out of stock', preorder: 'preorder', backorder: 'backorder', discontinued: 'discontinued' },
};

/** The stock in the words of `catalogue.json`: of `in_stock`, `https://schema.org/InStock`, `1`; undefined for others. */
export function availabilityOf(text: string): string | undefined {
  const word = text
    .toLowerCase()
    .split('/')
    .at(-1)!
    .replace(/[^a-z0-9]/g, '');
  return Object.hasOwn(AVAILABILITY, word) ? AVAILABILITY[word] : undefined;
}

/** How a feed writes several categories, each of which is a path. */
export interface CategoryForm {
  readonly between: RegExp;
  readonly steps: RegExp;
}

/** `Makeup > Nails | Gifts` */
export const USUAL_CATEGORIES: CategoryForm = { between: /\s*\|\s*/, steps: /\s*>\s*/ };

/** The first of the longest paths; undefined where there is none. */
export function categoryOf(text: string, { between, steps }: CategoryForm): readonly string[] | undefined {
  let best: readonly string[] = [];
  for (const path of text.split(between)) {
    const words = path.split(steps).filter((word) => word !== '');
    if (words.length > best.length) best = words;
  }
  return best.length > 0 ? best : undefined;
}

/** A number as a person writes it, and not an id such as `007`. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** A cell as a number if it is one; as text if a double cannot hold its digits, which would make one value of two ids. */
export function numberOrText(cell: string): number | string {
  const number = Number(cell);
  const isExact = () => String(number) === cell || cell.replace(/\D/g, '').replace(/^0+/, '').length <= 15;
  return NUMBER.test(cell) && isExact() ? number : cell;
}
