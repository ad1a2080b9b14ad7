/** Compares computed tensors with stored ones, each within the limit of its group. */
import type { NdArray } from '../../../src/types';

/** A golden file: tensors by name, and what its metadata says. */
export interface GoldenFile {
  readonly name: string;
  readonly tensors: Readonly<Record<string, NdArray>>;
  readonly reference: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Our values by the names that the file uses: `outputs/…`, `loss/…`, `grads/…`, `after/…`, `opt_…/…`. */
export type Computed = Readonly<Record<string, ArrayLike<number>>>;

/** Cells that the reference itself knows to about 1e-3 only, by tensor. */
export type Noise = Readonly<Record<string, (cell: number) => boolean>>;

/** Limit of such cells, relative to the tensor's largest number; on a GPU the second one. */
const NOISY = 1e-3;
const NOISY_GPU = 5e-3;

export interface Worst {
  readonly tensor: string;
  readonly error: number;
  readonly limit: number;
}

export interface Comparison {
  readonly state: 'ok' | 'miss';
  readonly compared: number;
  readonly total: number;
  readonly worst?: Worst;
}

/**
 * A softmax does not change when all scores of a query do, so these gradients are zero in exact arithmetic, and both sides
 * hold rounding noise of up to 1e-7.
 */
const KEY_BIAS = /\.key(_proj)?\.bias$/;

const GROUPS = /^(outputs|loss|grads|after|opt_[a-z]+)\//;

const largest = (data: ArrayLike<number>): number => {
  let max = 0;
  for (let i = 0; i < data.length; i++) max = Math.max(max, Math.abs(data[i]!));
  return max;
};

/** NaN counts as infinitely wrong. */
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>, counts = (_: number) => true): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    if (!counts(i)) continue;
    const difference = Math.abs(a[i]! - b[i]!);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    max = Math.max(max, difference);
  }
  return max;
};

/** How much of its limit an error takes up. */
const ratio = (error: number, limit: number): number =>
  error === 0 ? 0 : limit > 0 ? error / limit : Number.POSITIVE_INFINITY;

/**
 * @param gpu Whether a GPU backend computed: its limits are 100 times wider, and 5 % instead of 1 % of a change.
 */
export function compare(file: GoldenFile, computed: Computed, gpu: boolean, noise: Noise = {}): Comparison {
  const names = Object.keys(file.tensors).filter((name) => GROUPS.test(name));
  const gradients = names.filter((name) => name.startsWith('grads/'));
  const largestGradient = Math.max(0, ...gradients.map((name) => largest(file.tensors[name]!.data)));
  let compared = 0;
  let worst: Worst | undefined;
  let missed = false;
  for (const name of names) {
    const ours = computed[name];
    if (!ours) continue;
    compared++;
    const theirs = file.tensors[name]!.data;
    const strict = limitOf(file, name, theirs, largestGradient, gpu);
    const isNoisy = noise[name];
    const parts = isNoisy
      ? [
          { error: largestDifference(ours, theirs, (i) => !isNoisy(i)), limit: strict },
          { error: largestDifference(ours, theirs, isNoisy), limit: noisyLimit(name, theirs, largestGradient, gpu) },
        ]
      : [{ error: largestDifference(ours, theirs), limit: strict }];
    for (const { error, limit } of parts) {
      // A limit may be 0, where nothing should change, or NaN, where the reference is: neither may pass, or hide, a miss.
      missed ||= !(error <= limit);
      if (!worst || ratio(error, limit) > ratio(worst.error, worst.limit)) worst = { tensor: name, error, limit };
    }
  }
  const isOk = compared === names.length && compared > 0 && !missed;
  return { state: isOk ? 'ok' : 'miss', compared, total: names.length, ...(worst && { worst }) };
}

function noisyLimit(name: string, theirs: ArrayLike<number>, largestGradient: number, gpu: boolean): number {
  const share = gpu ? NOISY_GPU : NOISY;
  if (name.startsWith('outputs/')) return share * Math.max(1, largest(theirs));
  if (name.startsWith('loss/')) return share * largest(theirs);
  return share * Math.max(largest(theirs), 1e-3 * largestGradient);
}

function limitOf(
  file: GoldenFile,
  name: string,
  theirs: ArrayLike<number>,
  largestGradient: number,
  gpu: boolean,
): number {
  const factor = gpu ? 100 : 1;
  switch (GROUPS.exec(name)![1]) {
    case 'outputs':
      return factor * 1e-5 * Math.max(1, largest(theirs));
    case 'loss':
      return factor * 1e-5 * largest(theirs);
    case 'grads': {
      const limit = factor * 1e-4 * Math.max(largest(theirs), 1e-3 * largestGradient);
      return KEY_BIAS.test(name) ? Math.max(limit, factor * 1e-6) : limit;
    }
    case 'after': {
      const weight = name.slice('after/'.length);
      const before = file.tensors[`before/${weight}`] ?? file.tensors[`weights/${weight}`];
      const change = before ? largestDifference(theirs, before.data) : Number.POSITIVE_INFINITY;
      return Math.min(factor * 1e-4, (gpu ? 0.05 : 0.01) * change);
    }
    default:
      return factor * 1e-4;
  }
}
