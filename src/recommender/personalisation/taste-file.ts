/** The adapter as a file, encrypted with a passphrase, for another browser of the same visitor. */
import type { Delta } from '../../checkpoint/delta';
import { decodeDelta, encodeDelta, MAX_DELTA_BYTES } from '../../checkpoint/delta-file';
import { seal, unseal } from '../../checkpoint/sealed-file';
import type { Engine } from '../../engine/types';
import { RecommenderError } from '../../errors';

/** As `Taste.export`. */
export async function exportTaste(delta: Delta | undefined, passphrase: string): Promise<Uint8Array> {
  if (!delta) throw new RecommenderError('nothing-learnt', 'Nothing was learnt yet that could be exported.');
  return seal(encodeDelta(withoutClicks(delta)), passphrase);
}

/** Without the single clicks that the guard remembers: they stay on the device. */
const withoutClicks = ({ guard, ...delta }: Delta): Delta => ({ ...delta, guard: { ...guard, recent: [] } });

/** @throws RangeError for arguments of a wrong type. */
export function checkSealed(file: unknown, passphrase: unknown): void {
  if (!(file instanceof Uint8Array)) throw new RangeError('taste.import: expected the bytes of a file.');
  if (typeof passphrase !== 'string') throw new RangeError('passphrase: expected a text.');
}

/**
 * Opens a file and migrates its delta to the loaded model.
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
  await engine.fineTune({ sessions: [], delta }); // checks it without using it
  return delta;
}
