/**
 * The declared limits. What is beyond one is refused with a reason, wherever it comes in, and costs nothing that was there before.
 * `docs/limits.md` says what happens at each.
 */
import { isArray } from './captured';

/** Characters of an id: of an item, a candidate, a page view, an order. */
export const MAX_ID = 1000;
/** Characters of a word: the kind of an event, the source of a candidate. */
export const MAX_WORD = 100;
/** Candidates of an event. */
export const MAX_CANDIDATES = 8;
/** Characters of the names and texts of an event's features; a number counts as 8. */
export const MAX_FEATURES = 4000;
/** Events of a page within a minute. */
export const MAX_EVENTS_PER_MINUTE = 1000;
/** Their characters. What a page repeats without end cannot soon take the place of older events. */
export const MAX_CHARACTERS_PER_MINUTE = 200_000;
/** Things of a page's markup. */
export const MAX_THINGS = 500;
/** Values of a property of a thing: offers, variants. */
export const MAX_LIST = 100;
/** Products of one message of the data layer. */
export const MAX_ITEMS = 50;
/** Transactions of a page's data layer that are remembered. */
export const MAX_TRANSACTIONS = 50;
/** Commands before there is a recommender. */
export const MAX_COMMANDS = 1000;
/** Events that wait to be stored. */
export const MAX_WAITING = 10_000;
/** Milliseconds that the time of an event may be ahead: clocks differ. */
export const MAX_AHEAD = 86_400_000;
/** Events of a visitor that a page knows. Beyond it the older half is passed over. */
export const MAX_EVENTS = 10_000;
/** Clicks that a model reads. Beyond it the older half is not read, so that a cached state is cut rarely. */
export const MAX_CLICKS = 512;
/** Characters that are stored, keys included. Beyond it the oldest third is deleted. */
export const MAX_STORED = 500_000;
/** Characters that stay where the device has no room: so little would not make any. */
export const MIN_STORED = 5000;
/** Days that an event is stored. */
export const RETENTION = 30;
/** Characters of a text of the catalogue that a page shows. */
export const MAX_SHOWN_TEXT = 300;
/** Rules of a shop. */
export const MAX_RULES = 1000;
/** Ids, brands, categories or tags of a rule. */
export const MAX_RULE_TEXTS = 1000;
/** Tags of a product, and steps of its category, that rules read. A product of Shopify has at most so many tags. */
export const MAX_TAGS = 250;
/** Characters of a text of a product beside its picture, and of its category and features as JSON. */
export const MAX_PRODUCT_TEXT = 100_000;

/** Bytes of all files of an artifact together, unless a page allows another size. */
export const MAX_ARTIFACT_BYTES = 512 * 1024 * 1024;
/** Bytes of a JSON document: far below the longest text that any engine can hold, far above any catalogue. */
export const MAX_JSON_BYTES = 256 * 1024 * 1024;
/** Levels of lists and objects in it. */
export const MAX_JSON_DEPTH = 64;
/** Bytes of the header of `weights.safetensors`. */
export const MAX_HEADER_BYTES = 1024 * 1024;
/** Clicks, and items of the answer, of an artifact's golden check. */
export const MAX_GOLDEN = 1000;
/** Seconds in which an artifact must have come, besides what its size needs at `LEAST_SPEED`. */
export const DOWNLOAD_SECONDS = 60;
/** Bytes a second. */
export const LEAST_SPEED = 100_000;

/**
 * Rounds of a sealed file's key derivation, PBKDF2. Later releases will ask for more than this one does; but no file may keep a phone
 * busy for more than about half a minute.
 */
export const MAX_KEY_ROUNDS = 12_000_000;

/** Rows of a row group of a Parquet file, and values of a column of lists in it. Writers make groups of some million rows. */
export const MAX_PARQUET_ROWS = 50_000_000;
/** Bytes of a page of a Parquet file, unpacked. Writers make pages of about a million. */
export const MAX_PARQUET_PAGE = 1024 * 1024 * 1024;

/** Whether a value is an array of such values. A hole is none of them; `every` passes over holes, and four billion take minutes. */
export const isListOf = <T>(value: unknown, holds: (one: unknown) => one is T): value is readonly T[] =>
  isArray(value) && value.findIndex((one) => !holds(one)) < 0;
/** Whether a value is a text within a limit, and not empty. */
export const isName = (value: unknown, most = MAX_ID): value is string =>
  typeof value === 'string' && value !== '' && value.length <= most;
