/** Batches and losses of a training, as plain numbers. */
import { type Scalar, type Tensor, tidy } from '@tensorflow/tfjs';
import { configure } from '../../src/models/configuration';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { toTensor, upload } from '../../src/models/tensors';
import type { Training, TrainingRun } from '../../src/models/training';
import { mapArrays, type Streams, type Uploaded } from '../../src/objectives/batch';
import { gradientsOf } from '../../src/train/gradients';
import { streamsOf } from '../../src/train/step';
import type { Catalogue, NdArray, Sessions } from '../../src/types';

/** SASRec at a size that is quick to compute, without dropout. */
export const smallSasrec = (given: Partial<SasrecConfig> = {}): SasrecConfig =>
  configure(sasrec, { hiddenUnits: 6, maxlen: 5, numBlocks: 2, numHeads: 2, dropoutRate: 0, ...given });

/** No dropout. */
export const runOf = (items: number): TrainingRun => ({ dropout: (x) => x, state: undefined, items });

/** The rows of each batch of the first epoch. */
export const epochOf = <C, Row>(
  { rows }: Training<C, Row>,
  config: C,
  sessions: Sessions,
  catalogue: Catalogue,
  seed = 1,
): (readonly Row[])[] => [...rows({ sessions, catalogue, first: 0 }, config, streamsOf(seed, 0))];

/** What the first step of a training reads. */
export function firstBatch<C, Row, B>(
  training: Training<C, Row, B>,
  config: C,
  sessions: Sessions,
  catalogue: Catalogue,
  streams: Streams = streamsOf(1, 0),
): B {
  const [rows] = epochOf(training, config, sessions, catalogue);
  return training.batch(rows!, { sessions, catalogue, first: 0 }, config, streams);
}

/** A batch as a loss sees it. */
export const uploaded = <B>(batch: B): Uploaded<B> => mapArrays(batch, toTensor) as Uploaded<B>;

/** What a computation of one number gives. */
export const numberOf = (compute: () => Scalar): number => tidy(() => compute().dataSync()[0]!);

/** Loss and gradients of a batch. */
export function stepOf<C, Row, B>(
  { loss, network }: Training<C, Row, B>,
  params: Readonly<Record<string, NdArray>>,
  batch: B,
  config: C,
  catalogue: Catalogue,
): { readonly loss: number; readonly gradients: Readonly<Record<string, Float32Array>> } {
  const specs = network.parameters(config, catalogue);
  let result: ReturnType<typeof stepOf>;
  tidy(() => {
    const found = gradientsOf(loss, specs, upload(params), batch, config, runOf(catalogue.items));
    const numbers = (tensor: Tensor) => tensor.dataSync().slice() as Float32Array;
    result = {
      loss: found.loss.dataSync()[0]!,
      gradients: Object.fromEntries(Object.entries(found.gradients).map(([name, value]) => [name, numbers(value)])),
    };
  });
  return result!;
}
