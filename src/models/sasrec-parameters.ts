/** The parameters of SASRec: their shapes, their starts, and which reference starts them so. */
import type { Catalogue } from '../types';
import type { Initialiser, ParameterSpec } from './model';
import { glorotNormal, glorotUniform } from './parameters';
import { repeatsSpec } from './repeats';
import type { SasrecConfig } from './sasrec-options';

/** What the form's reference does, unless the configuration says otherwise. */
const choose = (setting: SasrecConfig['maskPadding'], automatic: boolean) =>
  String(setting) === 'auto' ? automatic : String(setting) === 'true';

/** Whether a linear layer follows the joined attention heads. */
export const projectsOutput = ({ outputProjection, norm }: SasrecConfig) => choose(outputProjection, norm !== 'tf');

/** Whether attention leaves out padding keys. */
export const masksPadding = ({ maskPadding, norm }: SasrecConfig) => choose(maskPadding, norm === 'tf');

/** The port gives padding a position of its own, row 0 of the table: it is zero and stays so. */
export const firstPosition = ({ norm }: SasrecConfig) => (norm === 'tf' ? 0 : 1);

/** How each kind of parameter starts. */
interface Starts {
  /** Of tables, `[rows, d]`. */
  readonly table: (rows: number, d: number) => Initialiser;
  /** Of matrices, `[from, to]`; `drawn` is the number of columns of the matrix that it is a part of. */
  readonly matrix: (from: number, to: number, drawn?: number) => Initialiser;
  /** Of the biases of the attention and of the feed-forward layer that read `from` numbers. */
  readonly attentionBias: (from: number) => Initialiser;
  readonly feedBias: (from: number) => Initialiser;
}

const ZEROS: Initialiser = { kind: 'zeros' };
/** PyTorch's linear layers, matrix and bias. */
const byFanIn = (from: number): Initialiser => ({ kind: 'uniform', limit: 1 / Math.sqrt(from) });

function starts({ init, initStd, norm }: SasrecConfig): Starts {
  if (init === 'torch') {
    return {
      table: () => ({ kind: 'normal', std: 1 }),
      matrix: byFanIn,
      attentionBias: byFanIn,
      feedBias: byFanIn,
    };
  }
  if (init === 'normal') {
    const normal = (): Initialiser => ({ kind: 'normal', std: initStd });
    return { table: normal, matrix: normal, attentionBias: () => ZEROS, feedBias: () => ZEROS };
  }
  if (norm === 'tf') {
    const matrix = (from: number, to: number) => glorotUniform(from, to);
    return { table: glorotUniform, matrix, attentionBias: () => ZEROS, feedBias: () => ZEROS };
  }
  return {
    table: glorotNormal,
    matrix: (from, to, drawn = to) => glorotNormal(drawn, from),
    attentionBias: () => ZEROS,
    feedBias: byFanIn,
  };
}

/**
 * @param special Rows of the item table after those of the items, for special tokens; the rest starts as without them.
 */
export function sasrecParameters(
  config: SasrecConfig,
  { items: n }: Catalogue,
  special = 0,
): Record<string, ParameterSpec> {
  const { hiddenUnits: d, innerSize, maxlen, numBlocks, reuseItemEmbeddings } = config;
  const { table, matrix, attentionBias, feedBias } = starts(config);
  const specs: Record<string, ParameterSpec> = {};
  const gainAndBias = (name: string) => {
    specs[`${name}.gain`] = { shape: [d], init: { kind: 'ones' } };
    specs[`${name}.bias`] = { shape: [d], init: ZEROS };
  };
  const inner = innerSize || d;
  const rows = maxlen + firstPosition(config);
  specs.items = { shape: [n + 1 + special, d], init: table(n + 1, d), rows: reuseItemEmbeddings ? 'both' : 'input' };
  if (!reuseItemEmbeddings) specs.outputs = { shape: [n + 1, d], init: table(n + 1, d), rows: 'output' };
  specs.positions = { shape: [rows, d], init: table(rows, d), zeroRow: firstPosition(config) > 0 };
  for (let b = 0; b < numBlocks; b++) {
    const of = `blocks.${b}.attention`;
    gainAndBias(`${of}.norm`);
    // PyTorch keeps query, key and value in one [3d, d] matrix, and draws it as such.
    const parts = { query: 3 * d, key: 3 * d, value: 3 * d, ...(projectsOutput(config) && { output: d }) };
    for (const [part, drawn] of Object.entries(parts)) {
      specs[`${of}.${part}.w`] = { shape: [d, d], init: matrix(d, d, drawn) };
      specs[`${of}.${part}.b`] = { shape: [d], init: attentionBias(d) };
    }
    gainAndBias(`blocks.${b}.feed.norm`);
    for (const [part, from, to] of [
      ['inner', d, inner],
      ['outer', inner, d],
    ] as const) {
      specs[`blocks.${b}.feed.${part}.w`] = { shape: [from, to], init: matrix(from, to) };
      specs[`blocks.${b}.feed.${part}.b`] = { shape: [to], init: feedBias(from) };
    }
  }
  gainAndBias('norm');
  return { ...specs, ...repeatsSpec(config) };
}
