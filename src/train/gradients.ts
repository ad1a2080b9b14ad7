/** Loss and gradients of one batch, for any training. */
import { add, concat, dispose, engine, keep, type Scalar, slice, type Tensor, tidy, zeros } from '@tensorflow/tfjs';
import type { ParameterSpec, Params, State } from '../models/model';
import { toTensor } from '../models/tensors';
import type { Training, TrainingRun } from '../models/training';
import { mapArrays, type Uploaded } from '../objectives/batch';

export interface Gradients {
  readonly loss: Scalar;
  /** By parameter; a parameter that took no part has none. */
  readonly gradients: Readonly<Record<string, Tensor>>;
  readonly state?: State;
  readonly measures?: Readonly<Record<string, Scalar>>;
}

/**
 * The caller disposes everything in the result.
 *
 * @param params Whole tables, or those of the touched rows with a batch whose indices match.
 */
export function gradientsOf<C, B>(
  loss: Training<C, never, B>['loss'],
  specs: Readonly<Record<string, ParameterSpec>>,
  params: Params,
  batch: B,
  config: C,
  run: TrainingRun,
): Gradients {
  const names = Object.keys(params);
  let readsPadding = false;
  let beside: Pick<Gradients, 'state' | 'measures'> = {};
  const { value, grads } = tidy(() => {
    const uploaded = mapArrays(batch, (array) => {
      readsPadding ||= array.items !== undefined && (array.data as Int32Array).includes(0);
      return toTensor(array);
    }) as Uploaded<B>;
    // tf.valueAndGrads refuses parameters without a gradient, such as a position that no session of the batch reaches.
    const differentiate = (f: () => Scalar) => {
      try {
        return engine().gradients(f, Object.values(params), undefined, true);
      } catch (error) {
        // TensorFlow.js frees what it saved only after the last gradient, and one may find no memory.
        const saved = engine().state.activeTape.flatMap(({ saved }) => saved ?? []);
        dispose([...saved, ...(beside.state ?? []), ...Object.values(beside.measures ?? {})]);
        throw error;
      }
    };
    let second: ReturnType<typeof loss>['second'];
    const first = differentiate(() => {
      const result = loss(params, uploaded, config, run);
      second = result.second;
      const { state, measures } = result;
      beside = { ...(state && { state: state.map(keepCopy) }), ...(measures && { measures: keepCopies(measures) }) };
      return result.loss;
    });
    if (!second) return first;
    return sumOf(first, differentiate(second()));
  });
  const gradients: Record<string, Tensor> = {};
  names.forEach((name, i) => {
    const gradient = grads[i];
    if (!gradient) return;
    const { rows, zeroRow = rows !== undefined } = specs[name]!;
    // Padding stays at zero, whatever attends to it; so does a missing value, which a batch without padding may read.
    const readsZero = readsPadding || rows === undefined;
    gradients[name] = zeroRow === true && readsZero ? withoutFirstRow(gradient) : gradient;
  });
  return { loss: value as Scalar, gradients, ...beside };
}

const keepCopy = <T extends Tensor>(x: T): T => keep(x.clone());

const keepCopies = (measures: Readonly<Record<string, Scalar>>): Record<string, Scalar> =>
  Object.fromEntries(Object.entries(measures).map(([name, x]) => [name, keepCopy(x)]));

/** A loss and its gradients; a parameter that took no part has none, although TensorFlow.js types it otherwise. */
type Differentiated = { value: Tensor; grads: Tensor[] };

function sumOf(a: Differentiated, b: Differentiated): Differentiated {
  return {
    value: add(a.value, b.value),
    grads: a.grads.map((ofA, i) => {
      const ofB = b.grads[i];
      return (ofA && ofB ? add(ofA, ofB) : (ofA ?? ofB)) as Tensor;
    }),
  };
}

function withoutFirstRow(gradient: Tensor): Tensor {
  const masked = tidy(() => concat([zeros([1, ...gradient.shape.slice(1)]), slice(gradient, 1)]));
  gradient.dispose();
  return masked;
}
