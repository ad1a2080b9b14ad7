/** The next items for one session, from an artifact in a folder. */
import { USERS_TENSOR } from '../checkpoint/artifact';
import { isRecord, parseJson } from '../checkpoint/json';
import { userFinder } from '../checkpoint/users';
import type { BackendChoice } from '../compute/types';
import type { EngineEvent, ModelInfo, Recommendations } from '../engine/types';
import { RecommenderError } from '../errors';
import { editDistance } from '../nearest-name';
import { parseTime } from '../session/time';
import { defined } from './defined';
import { badInput } from './errors';
import { loadEngine } from './files/artifact-engine';
import { readArtifactFolder, readItemIds } from './files/artifact-folder';
import { readInput } from './files/disk';
import { printable } from './format';
import { type Observer, warn } from './observer';

export interface RecommendOptions extends Observer {
  /** Folder of the artifact. */
  readonly artifact: string;
  /** Clicks, oldest first. */
  readonly session: readonly EngineEvent[];
  readonly user?: string;
  /** How many items. */
  readonly k: number;
  readonly backend: BackendChoice;
  /** Whether popular items answer a session of which the model knows no item. Default false. */
  readonly allowUnknown?: boolean;
}

/**
 * Recommends as the page would.
 *
 * @throws RecommenderError `bad-input` where the model knows no item of the session; `bad-artifact`; `no-backend`; `aborted`.
 */
export async function recommend(options: RecommendOptions): Promise<Recommendations & { readonly model: ModelInfo }> {
  const { artifact, session, user, k, backend } = options;
  const signal = defined({ signal: options.signal });
  const { engine, model } = await loadEngine(artifact, backend, options.signal);
  try {
    await checkKnown(options);
    await checkUser(options);
    const request = { session, k, exclude: [], ...(user !== undefined && { user }) };
    return { ...(await engine.recommend(request, signal)), model };
  } finally {
    await engine.dispose();
  }
}

/** Warns of clicked items that the model does not know and therefore ignores; refuses a session that has no others. */
async function checkKnown({ session, artifact, allowUnknown, ...observer }: RecommendOptions): Promise<void> {
  if (session.length === 0) return;
  const itemIds = await readItemIds(artifact);
  const known = new Set(itemIds);
  const clicked = [...new Set(session.map(({ itemId }) => itemId))];
  const unknown = clicked.filter((id) => !known.has(id));
  if (unknown.length === 0) return;
  const names = namesOfUnknown(unknown, itemIds);
  if (unknown.length === clicked.length && !allowUnknown) {
    throw new RecommenderError(
      'bad-input',
      `The model does not know ${names}. Pass at least one item that it knows; \`allowUnknown\` prints what is popular.`,
    );
  }
  const then = unknown.length === clicked.length ? 'These items are popular' : 'It answers by the other items';
  warn(observer, `the model does not know ${names}. ${then}.`);
}

/** Warns where a user changes nothing. */
async function checkUser({ user, artifact, ...observer }: RecommendOptions): Promise<void> {
  if (user === undefined) return;
  const { info, tensors } = await readArtifactFolder(artifact);
  const users = tensors[USERS_TENSOR];
  if (!users) warn(observer, `the model "${info.name}" knows no users: \`user\` changes nothing.`);
  else if ((await userFinder(users)(user)) === undefined)
    warn(observer, `the model does not know the user ${quotedId(user)}. It answers as for nobody in particular.`);
}

/** Unknown ids that a message names, and known ones beside each. */
const NAMED = 3;

/**
 * The ids as they were written, each with the known ids that take the fewest edits to reach: for "The model does not know …".
 *
 * @param unknown At least one id.
 * @param known All ids of the model.
 */
function namesOfUnknown(unknown: readonly string[], known: readonly string[]): string {
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

/**
 * A session from a file: a JSON list of ids, or of `{ itemId, time, features }`, oldest first.
 *
 * @param now The time of clicks that have none, in seconds since 1970.
 * @throws RecommenderError `bad-input`.
 */
export async function readSession(file: string, now: number): Promise<EngineEvent[]> {
  const refuse = (why: string): never => badInput(`${file}: ${why}`);
  const list = parseJson(await readInput(file), file);
  if (!Array.isArray(list)) return refuse('expected a JSON list, such as ["sku-42", "sku-7"].');
  return list.flatMap((entry: unknown, at) => {
    const click = typeof entry === 'object' && entry !== null ? entry : { itemId: entry };
    const { itemId, time = now, features, ...others } = click as Record<string, unknown>;
    const other = Object.keys(others).find((key) => !OF_PAGES.includes(key));
    if (other !== undefined)
      return refuse(`entry ${at + 1}: expected "itemId", "time" and "features", got ${shown(other)}.`);
    if (typeof itemId !== 'string')
      return refuse(`entry ${at + 1}: expected an item id as text, got ${shown(itemId)}.`);
    const seconds = typeof time === 'number' || typeof time === 'string' ? parseTime(String(time)) : Number.NaN;
    if (Number.isNaN(seconds)) {
      return refuse(
        `entry ${at + 1}: expected a time in seconds or milliseconds since 1970 or ISO 8601, got ${shown(time)}.`,
      );
    }
    if (features !== undefined && !isFeatures(features)) {
      return refuse(`entry ${at + 1}: expected features as numbers or texts by name, got ${shown(features)}.`);
    }
    if (others['event'] === 'remove') return []; // the models of a page do not read it either
    return [{ itemId, time: seconds, ...(features !== undefined && { features }) }];
  });
}

/** What events have besides where a page tracks or exports them. */
const OF_PAGES = ['event', 'candidates', 'transaction', 'pageView'];

const isFeatures = (value: unknown): value is NonNullable<EngineEvent['features']> =>
  isRecord(value) &&
  Object.values(value).every((feature) => typeof feature === 'number' || typeof feature === 'string');

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);
