/** Checks the arguments of `fineTune`: every wrong one is a `RangeError`. */
import type { TuneProgress } from '../../engine/types';
import { type Checks, calls, checked, oneOf, SIGNAL } from '../arguments';
import type { FineTuneOptions } from '../types';

const FINE_TUNE: Checks<FineTuneOptions> = {
  method: oneOf<FineTuneOptions['method']>('adapter', 'full'),
  signal: SIGNAL,
  onProgress: calls('a function that is told of every event'),
};

export function checkedFineTune(options: FineTuneOptions = {}): FineTuneOptions {
  const { onProgress, ...rest } = checked('fineTune', options, FINE_TUNE);
  if (!onProgress) return rest;
  const follow = (progress: TuneProgress): void => {
    try {
      onProgress(progress);
    } catch (error) {
      // An error of a listener does not fail the call.
      console.error('Aisle: who follows "fineTune" threw.', error);
    }
  };
  return { ...rest, onProgress: follow };
}
