/** Seconds. */
export const DAY = 86_400;

/** How a log writes its times. `iso` is ISO 8601; a time without a zone is UTC. */
export type TimeUnit = 's' | 'ms' | 'iso';

/** 10¹¹ s is the year 5138 and 10¹¹ ms is March 1973: a number at or above it counts milliseconds. */
const MILLISECONDS_FROM = 1e11;
/** 10¹⁴ ms is the year 5138: a number at or above it counts microseconds or less. */
const TOO_FINE_FROM = 1e14;
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);
const ISO =
  /^(\d{4})(-?)(\d{2})\2(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?: ?(Z|UTC)| ?([+-])(\d{2}):?(\d{2})?)?)?$/i;

/**
 * Reads one column of times into seconds since 1970. The first value decides the unit unless it is given; a later value
 * of another unit is refused, since a log that mixes them would be ordered wrongly.
 */
export class TimeReader {
  /** Why the last `read` returned NaN, as `expected …`. */
  expected = '';

  constructor(public unit?: TimeUnit) {
    this.given = unit !== undefined;
  }
  private readonly given: boolean;

  /** Seconds of the text `bytes[start…end)`, fractions kept; NaN with `expected` set if it is no valid time. */
  read(bytes: Uint8Array, start: number, end: number): number {
    while (start < end && bytes[start] === 0x20) start++;
    while (end > start && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0x0d)) end--; // a file of mixed line ends
    if (this.unit === 'iso') {
      const seconds = this.usualIso(bytes, start, end);
      return Number.isNaN(seconds) ? this.iso(ascii(bytes, start, end)) : seconds;
    }
    const number = decimal(bytes, start, end);
    if (!Number.isNaN(number)) return this.number(number);
    if (this.unit === undefined) {
      const seconds = parseIso(ascii(bytes, start, end));
      if (!Number.isNaN(seconds)) this.unit = 'iso';
      if (!Number.isNaN(seconds)) return this.iso(ascii(bytes, start, end));
    }
    return this.fail(`a time in ${NAMES[this.unit ?? 'any']}`);
  }

  /** Seconds of a number that is in the log's unit. */
  number(value: number): number {
    if (this.unit === 'iso') return this.fail(`a time in ${NAMES.iso}, as in the first row`);
    if (value < 0) return this.fail('a time of 1970 or later (not negative)');
    if (!Number.isFinite(value)) return this.fail('a finite time');
    if (!this.given) {
      if (this.unit === undefined && isDate(value))
        return this.fail('a time of one meaning (`timeUnit` iso takes it for a date, s for seconds)');
      if (value >= TOO_FINE_FROM) return this.fail('seconds or milliseconds since 1970 (divide microseconds by 1,000)');
      const unit = value >= MILLISECONDS_FROM ? 'ms' : 's';
      this.unit ??= unit;
      if (unit !== this.unit) return this.fail(`${NAMES[this.unit]}, as in the first row`);
    }
    return this.unit === 'ms' ? value / 1000 : value;
  }

  /** `2014-04-07T10:51:09.277Z` and its like without a string for each row; NaN for all other forms. */
  private usualIso(bytes: Uint8Array, start: number, end: number): number {
    const digits = (at: number, count: number): number => {
      let value = 0;
      for (let i = start + at; i < start + at + count; i++) {
        const digit = bytes[i]! - 0x30;
        if (digit < 0 || digit > 9) return Number.NaN;
        value = value * 10 + digit;
      }
      return value;
    };
    let length = end - start;
    if (length > 19 && (bytes[end - 1]! | 0x20) === 0x7a) length--; // Z
    const fraction = length > 20 ? length - 20 : 0;
    if (length < 19 || length === 20 || fraction > 3 || (fraction > 0 && bytes[start + 19] !== 0x2e)) return Number.NaN;
    const between = bytes[start + 10]! | 0x20; // T, t or a blank
    if ((between !== 0x74 && bytes[start + 10] !== 0x20) || bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a)
      return Number.NaN;
    const date = digits(0, 4) * 10000 + digits(5, 2) * 100 + digits(8, 2);
    if (date !== this.date || bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) {
      const midnight = parseIso(ascii(bytes, start, start + 10));
      if (!(midnight >= 0)) return Number.NaN;
      this.date = date;
      this.midnight = midnight;
    }
    const hour = digits(11, 2);
    const minute = digits(14, 2);
    const second = digits(17, 2);
    const part = fraction > 0 ? digits(20, fraction) : 0;
    if (!(hour < 24 && minute < 60 && second <= 60 && part >= 0)) return Number.NaN;
    const whole = this.midnight + hour * 3600 + minute * 60 + second;
    return (whole * POWERS[fraction]! + part) / POWERS[fraction]!;
  }
  /** The last date read, as a number 20140407, and its first second. */
  private date = Number.NaN;
  private midnight = 0;

  private iso(text: string): number {
    const seconds = parseIso(text);
    if (Number.isNaN(seconds)) return this.fail(`a time in ${NAMES.iso}, such as 2014-04-07T10:51:09.277Z`);
    if (seconds < 0) return this.fail('a time of 1970 or later');
    return seconds;
  }

  private fail(expected: string): number {
    this.expected = expected;
    return Number.NaN;
  }
}

const NAMES = {
  s: 'seconds since 1970',
  ms: 'milliseconds since 1970',
  iso: 'ISO 8601',
  any: 'seconds, milliseconds or ISO 8601',
};

/** Seconds since 1970 of an ISO 8601 date or time, UTC where it has no zone; NaN if it is none. */
export function parseIso(text: string): number {
  const match = ISO.exec(text);
  if (!match) return Number.NaN;
  const [, year, , month, day, hour = '0', minute = '0', second = '0', fraction = '', , sign, offsetH, offsetM] = match;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(midnight);
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return Number.NaN;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return Number.NaN;
  const offset = sign ? (sign === '-' ? -1 : 1) * (Number(offsetH) * 3600 + Number(offsetM ?? '0') * 60) : 0;
  const whole = midnight / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset;
  return fraction === '' || whole < 0 ? whole : Number(`${whole}.${fraction}`);
}

/** Whether a number such as 20240501 is a date of 1900 to 2099; in seconds it is a day of 1970. */
const isDate = (value: number): boolean => /^(19|20)/.test(`${value}`) && !Number.isNaN(parseIso(`${value}`));

/** Seconds since 1970 of a time as a user types it: seconds, milliseconds or ISO 8601; NaN if it is none. */
export function parseTime(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return new TimeReader().read(bytes, 0, bytes.length);
}

/** A decimal number; exact like `Number(text)`, but without making a string for the usual forms. NaN if it is none. */
function decimal(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let point = -1;
  for (let i = start; i < end; i++) {
    const c = bytes[i]!;
    if (c >= 0x30 && c <= 0x39) value = value * 10 + (c - 0x30);
    else if (c === 0x2e && point < 0 && i > start) point = i;
    else return unusual(bytes, start, end);
  }
  const digits = end - start - (point < 0 ? 0 : 1);
  // Up to 15 digits both numbers are exact, and one division rounds once: the same double as parsing the text.
  if (digits < 1 || digits > 15) return unusual(bytes, start, end);
  return point < 0 ? value : value / POWERS[end - point - 1]!;
}

function unusual(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 64) return Number.NaN;
  const text = ascii(bytes, start, end);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < Math.min(end, start + 64); i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
