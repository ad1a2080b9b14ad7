/** Describes clicked items that a model does not know. */
import { editDistance } from '../errors';

/** Unknown ids that a message names, and known ones beside each. */
const NAMED = 3;

/**
 * The ids as they were written, each with the known ids that take the fewest edits to reach: for "The model does not know …".
 *
 * @param unknown At least one id.
 * @param known All ids of the model.
 */
export function namesOfUnknown(unknown: readonly string[], known: readonly string[]): string {
  const named = unknown.slice(0, NAMED).map((id) => {
    const near = nearest(id, known).map(quotedId);
    return `${quotedId(id)} (nearest: ${near.join(', ')})`;
  });
  const more = unknown.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function nearest(id: string, known: readonly string[]): string[] {
  const found: { readonly other: string; readonly distance: number }[] = [];
  const name = id.toLowerCase();
  for (const other of known) {
    const limit = found[NAMED - 1]?.distance ?? Number.POSITIVE_INFINITY;
    if (Math.abs(other.length - id.length) >= limit) continue;
    const distance = editDistance(name, other.toLowerCase());
    if (distance >= limit) continue;
    found.splice(NAMED - 1);
    found.push({ other, distance });
    found.sort((a, b) => a.distance - b.distance); // stable: of equal ones the first
  }
  return found.map(({ other }) => other);
}

const quotedId = (id: string): string => printable(JSON.stringify(id));

/** An id with escaped control characters, which a terminal would execute. */
export const printable = (id: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  id.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
