/** What a page may have in the place of an id. */
import { MAX_ID } from '../limits';

/** The id in a value of a page, without white space around it; undefined for what is no id, such as an object or 20 kB. */
export function idIn(value: unknown): string | undefined {
  const id = textIn(value);
  return id !== undefined && id.length <= MAX_ID ? id : undefined;
}

/** The same of any length. */
export function textIn(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return (typeof value === 'string' && value.trim()) || undefined;
}
