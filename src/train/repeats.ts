/** What the sessions of a batch hold before its targets, for models with scores for repeats. */
import { type Tensor2D, tensor, tensor1d } from '@tensorflow/tfjs-core';
import type { Negatives } from '../objectives/negatives';
import { logQ, type RepeatedTensors } from '../objectives/objective';
import { afterAll, cellsOf, type Repeated, repeatedItems } from '../objectives/repeated';
import type { TrainingBatch } from './batches';
import { joined } from './rows';
import type { Trainee } from './types';

export interface CorrectedRepeats extends Repeated {
  /** log q of `ids`, `[M, P]`; absent without correction. */
  readonly logq?: Float32Array | undefined;
}

const NONE = new Int32Array(0);

/** Undefined for a model without such scores. */
export function repeatedBy<C>(
  { catalogue, plan: { objective, rows }, specs }: Trainee<C>,
  { input, origin, hidden }: TrainingBatch,
  targets: Int32Array,
  negatives: Negatives,
): CorrectedRepeats | undefined {
  if (!specs.repeats) return undefined;
  const { negatives: spec } = objective;
  const inBatch = spec.kind === 'shared' && spec.inBatch;
  const columns = inBatch ? joined(targets, negatives.ids) : negatives.ids;
  const sessions = input.kind === 'sessions' ? input.sessions : input.past();
  // A hidden click is read where it stood, others after the click before them.
  const isHidden = rows.kind === 'masked' && rows.masking.kind !== 'next';
  const places = origin
    ? {
        row: origin.row,
        before: origin.click.map((t) => (isHidden ? t : t + 1)),
        ...(isHidden && hidden && { hidden }),
      }
    : afterAll(sessions);
  const repeated = repeatedItems(sessions, places, specs.repeats.shape[0]!, targets, columns, inBatch);
  // Those that are always there stand beside the target, and are corrected as it is.
  const { ids } = repeated;
  return { ...repeated, logq: catalogue.support && logQ(objective, catalogue.support, ids, NONE, ids.length) };
}

/** @param targets M. */
export function repeatedTensors(repeated: CorrectedRepeats, targets: number): RepeatedTensors {
  const { width, ids, lags, targetLags, mask, shared, logq } = repeated;
  const shape: [number, number] = [targets, width];
  return {
    ids: tensor(ids, shape, 'int32') as Tensor2D,
    lags: tensor(lags, shape, 'int32') as Tensor2D,
    targetLags: tensor1d(targetLags, 'int32'),
    mask: tensor(mask, shape) as Tensor2D,
    ...(shared && { shared: tensor(shared, [targets, shared.length / targets]) as Tensor2D }),
    ...(logq && { logq: tensor(logq, shape) as Tensor2D }),
    cells: (first) => cellsOf(repeated, first),
  };
}
