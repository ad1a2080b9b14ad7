/** What was learnt, carried from one browser to another in a file that only a passphrase opens. */
import type { Delta } from '../checkpoint/delta';
import { decodeDelta, encodeDelta, MAX_DELTA_BYTES } from '../checkpoint/delta-file';
import { seal, unseal } from '../checkpoint/sealed-file';
import type { Engine } from '../engine/types';
import { RecommenderError } from '../errors';

/** As `Taste.export`. */
export async function exportTaste(delta: Delta | undefined, passphrase: string): Promise<Uint8Array> {
  if (!delta) throw new RecommenderError('nothing-learnt', 'Nothing was learnt yet that could be exported.');
  return seal(encodeDelta(withoutClicks(delta)), passphrase);
}

/** Single clicks stay where they were made: what the guard remembers of them is nothing that was learnt. */
const withoutClicks = ({ guard, ...delta }: Delta): Delta => ({ ...delta, guard: { ...guard, recent: [] } });

/** @throws RangeError for what `openTaste` cannot open, whatever it holds. */
export function checkSealed(file: unknown, passphrase: unknown): void {
  if (!(file instanceof Uint8Array)) throw new RangeError('taste.import: expected the bytes of a file.');
  if (typeof passphrase !== 'string') throw new RangeError('passphrase: expected a text.');
}

/**
 * The delta in a file, carried over to the model that is loaded.
 *
 * @throws As `Taste.import`.
 */
export async function openTaste(
  file: Uint8Array,
  passphrase: string,
  engine: Pick<Engine, 'fineTune' | 'migrate'>,
): Promise<Delta> {
  const answer = await engine.migrate(withoutClicks(decodeDelta(await unseal(file, passphrase, MAX_DELTA_BYTES.full))));
  if ('reason' in answer) throw new RecommenderError('foreign-delta', answer.reason);
  const { delta } = answer;
  await engine.fineTune({ sessions: [], delta }); // checks it, and lets nothing answer by it
  return delta;
}
