/** Reads JSON that a stranger may have written: size, nesting and names are checked before `JSON.parse` runs. */
import { RecommenderError } from '../errors';
import { MAX_JSON_BYTES, MAX_JSON_DEPTH } from '../limits';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A name for a message: quoted, escaped, and cut where it is long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}…` : name);
}

/**
 * Parses UTF-8 JSON. Names that occur twice in one object, nesting deeper than `MAX_JSON_DEPTH` and bytes that are not UTF-8 are
 * refused; `JSON.parse` would hide the first and some engines would overflow their stack on the second.
 *
 * @param bytes The whole document.
 * @param what What the document is, for messages: a file name, or a part of a file.
 * @throws RecommenderError `bad-artifact` with one sentence that begins with `what`.
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > MAX_JSON_BYTES) {
    throw bad(what, `is ${bytes.length} bytes long; at most ${MAX_JSON_BYTES} bytes of JSON are read.`);
  }
  if (looksLikeHtml(bytes)) {
    throw bad(what, 'is an HTML page, not JSON: the address answers with a web page.');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw bad(what, 'is not valid UTF-8.', cause);
  }
  checkNames(text, what);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw bad(what, `is not valid JSON (${(cause as Error).message}).`, cause);
  }
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A sentence for messages where bytes are a web page, else nothing. */
export const htmlHint = (bytes: Uint8Array): string =>
  looksLikeHtml(bytes) ? ' It begins like an HTML page: the address answers with a web page.' : '';

/** Whether bytes begin like the page that a server sends in place of a missing file. */
export const looksLikeHtml = (bytes: Uint8Array): boolean => bytes.find((byte) => byte > 0x20) === 0x3c; // <

/** Walks the text once without recursion. Text that is not JSON passes here and fails in `JSON.parse`. */
function checkNames(text: string, what: string): void {
  const open: (Set<string> | undefined)[] = []; // names so far of each open object; undefined for arrays
  let key = false; // whether a string at this place is a name
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: {
        // [
        const isObject = text.charCodeAt(at) === 0x7b;
        if (open.length === MAX_JSON_DEPTH) throw bad(what, `nests deeper than ${MAX_JSON_DEPTH} levels.`);
        open.push(isObject ? new Set() : undefined);
        key = isObject;
        break;
      }
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        key = false;
        break;
      case 0x2c: // ,
        key = open[open.length - 1] !== undefined;
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        const names = open[open.length - 1];
        if (key && names) {
          const name = unquote(text.slice(at, end + 1));
          if (name !== undefined && names.has(name)) throw bad(what, `has the name ${quote(name)} twice.`);
          if (name !== undefined) names.add(name);
        }
        key = false;
        at = end;
        break;
      }
    }
  }
}

/** Index of the closing quote of the string that opens at `start`; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
}

/** `"a\u0062"` and `"ab"` are the same name. Undefined where the literal is not valid: `JSON.parse` says so later. */
function unquote(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal);
  } catch {
    return undefined;
  }
}

export function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? 'nothing';
  return shown.length > 80 ? `${shown.slice(0, 77)}…` : shown;
}

export function bad(what: string, text: string, cause?: unknown): RecommenderError {
  return new RecommenderError('bad-artifact', `${what} ${text}`, cause === undefined ? undefined : { cause });
}
