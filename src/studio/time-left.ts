/** How long a training may still take. */
import type { Progress, TrainingEpoch } from '../pipeline/observer';

/** Sessions of the training on everything, for each of the training that holds out the last tenth. */
const WITH_HELD_OUT = 10 / 9;
/** Seconds of an epoch from which its pace is known. */
const ENOUGH = 1;

/**
 * Follows a training, from its beginning or from a checkpoint.
 *
 * @param repeats Whether everything is learnt again in the end, for as many epochs as the best of the first training has.
 * @param now Seconds of a clock that never goes back.
 * @returns Seconds left at most, since a training may end earlier; undefined while nothing is known.
 */
export function timeLeft(repeats: boolean, now = () => performance.now() / 1000) {
  let begun: { readonly key: string; readonly at: number; readonly done: number } | undefined;
  return ({ part, done, total }: Progress, epochs: readonly TrainingEpoch[]): number | undefined => {
    if (!part) return undefined;
    const [epoch, most] = part;
    const isAgain = epochs.some((one) => !one.refit && one.epoch >= epoch);
    const key = `${epoch} ${isAgain}`;
    if (begun?.key !== key) begun = { key, at: now(), done };
    const seconds = now() - begun.at;
    const last = epochs.at(-1);
    const anEpoch = last
      ? last.seconds * (isAgain && !last.refit ? WITH_HELD_OUT : 1)
      : seconds >= ENOUGH && done > begun.done
        ? (seconds / (done - begun.done)) * total
        : undefined;
    if (anEpoch === undefined) return undefined;
    const left = most - epoch + 1 - done / total;
    return anEpoch * (left + (repeats && !isAgain ? most * WITH_HELD_OUT : 0));
  };
}
