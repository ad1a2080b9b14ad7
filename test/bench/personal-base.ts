/** Base models of `npm run bench -- personal`: trained once on other visitors, and their session vectors of the held-out. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { slice, tidy } from '@tensorflow/tfjs-core';
import { decodeSafetensors } from '../../src/checkpoint/safetensors';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { startFirst } from '../../src/cli/start-backend';
import { models } from '../../src/models/index';
import { presetOf } from '../../src/models/presets';
import { upload } from '../../src/models/tensors';
import { configurationOf, learn } from '../../src/train/learn';
import type { Catalogue, NdArray, SessionInput } from '../../src/types';
import { DEMO_MODELS } from '../demo/demo-models';
import type { HeldOutVisitor, LogName, PersonalLog } from './personal-logs';

export const MODEL_NAMES = ['gru4rec', 'sasrec', 'caser', 'cl4srec', 'srgnn', 'transformers4rec'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

type Settings = Readonly<Record<string, unknown>>;

const demo = (name: string): Settings => DEMO_MODELS.find((model) => model.name === name)!.set;
/** GPT-2 with the temperature that an option left alone comes to, which files of base models have by number. */
const warm = (config: Settings): Settings => ({ ...config, softmaxTemperature: 1 });
/** Small networks for Beauty: what a few minutes on one core allow. */
const WIDE = { hiddenUnits: 64, numBlocks: 1, maxlen: 30 };

/** What each base model is: the demo shop's, the preset of the log, or for Beauty the demo's in another size. */
const SETTINGS: Readonly<Record<LogName, Readonly<Record<ModelName, Settings>>>> = {
  simulator: {
    gru4rec: demo('gru4rec'),
    srgnn: demo('srgnn'),
    sasrec: demo('sasrec'),
    caser: demo('caser'),
    cl4srec: demo('cl4srec'),
    transformers4rec: warm(demo('gpt2-clm')),
  },
  eshop: {
    gru4rec: presetOf('gru4rec', 'eshop').config,
    srgnn: presetOf('srgnn', 'eshop').config,
    sasrec: { ...presetOf('sasrec', 'eshop').config, hiddenUnits: 64, numEpochs: 6 },
    caser: presetOf('caser', 'eshop').config,
    cl4srec: { ...presetOf('cl4srec', 'eshop').config, hiddenUnits: 64, numEpochs: 4 },
    transformers4rec: warm(presetOf('transformers4rec', 'eshop-clm').config),
  },
  beauty: {
    gru4rec: { ...demo('gru4rec'), nSample: 1024, nEpochs: 10 },
    srgnn: { ...demo('srgnn'), hiddenSize: 64, maxlen: 15, epoch: 3 },
    sasrec: { ...demo('sasrec'), ...WIDE, dropoutRate: 0.3, numEpochs: 5 },
    caser: {
      ...{ d: 48, L: 5, T: 1, windows: 'all', loss: 'cross-entropy', drop: 0.3 },
      ...{ batchSize: 128, l2: 0, learningRate: 0.004, nIter: 4 },
    },
    cl4srec: { ...demo('cl4srec'), ...WIDE, dropoutRate: 0.3, numEpochs: 4 },
    transformers4rec: warm({ ...demo('gpt2-clm'), dModel: 64, itemEmbeddingDim: 64, totalSeqLength: 30, nEpochs: 5 }),
  },
};

/** A trained model. */
export interface Base {
  readonly config: Settings;
  readonly tensors: Readonly<Record<string, NdArray>>;
  readonly epochs: number;
}

/** Names the folder of everything that follows from a base model. */
export const baseKey = (log: LogName, model: ModelName): string => `${log}-${model}`;

/** Trains a base model, or reads the one that was trained before. */
export async function baseOf(log: PersonalLog, model: ModelName, work: string): Promise<Base> {
  const file = join(work, `base-${baseKey(log.name, model)}.safetensors`);
  const { config } = await configurationOf(model, SETTINGS[log.name][model]);
  const wanted = JSON.stringify(config);
  if (existsSync(file)) {
    const { tensors, metadata } = decodeSafetensors(readFileSync(file), file);
    // An option that is newer than the file was not there to be set.
    const before = await configurationOf(model, JSON.parse(metadata.given!)).catch(() => undefined);
    if (before && JSON.stringify(before.config) === wanted) {
      const config = { ...before.config, ...JSON.parse(metadata.config!) };
      return { tensors, config, epochs: Number(metadata.epochs) };
    }
    rmSync(vectorsFile(log.name, model, work), { force: true }); // they are of the other model
  }
  await startFirst('wasm', process.stderr);
  const started = performance.now();
  const learnt = await learn({
    ...{ model, config: SETTINGS[log.name][model], log: log.log, itemIds: log.itemIds, support: log.support, seed: 1 },
    signal: new AbortController().signal,
    onEpoch({ epoch, loss }) {
      console.error(`${log.name} ${model}: epoch ${epoch}, loss ${loss.toFixed(4)}, ${seconds(started)} s`);
    },
  });
  const metadata = { given: wanted, config: JSON.stringify(learnt.config), epochs: String(learnt.epochs.length) };
  write(file, encodeSafetensors(learnt.tensors, metadata));
  return { tensors: learnt.tensors, config: learnt.config, epochs: learnt.epochs.length };
}

const vectorsFile = (log: LogName, model: ModelName, work: string): string =>
  join(work, `vectors-${baseKey(log, model)}.safetensors`);

const seconds = (since: number): number => Math.round((performance.now() - since) / 1000);

/** What tuning needs of a base model and the held-out visitors: the item side, and the session's vector before each click. */
export interface Encoded {
  /** `[n, d]`, without padding. */
  readonly table: NdArray<Float32Array>;
  readonly bias?: Float32Array;
  /** By visitor: `[events, d]`; the rows of first clicks of sessions, before which there is nothing, are 0. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

const BATCH = 256;

/** Encodes every prefix of every held-out session, or reads what was encoded before. */
export async function encodedOf(log: PersonalLog, model: ModelName, work: string): Promise<Encoded> {
  const base = await baseOf(log, model, work);
  const file = vectorsFile(log.name, model, work);
  const visitors = [...log.tuning, ...log.reported];
  if (!existsSync(file)) write(file, encodeSafetensors(await encode(base, log, model, visitors)));
  const { tensors } = decodeSafetensors(readFileSync(file), file);
  const { table, vectors, bias } = tensors as Record<string, NdArray<Float32Array>>;
  const [d] = table!.shape.slice(1) as [number];
  let at = 0;
  const byVisitor = visitors.map(({ id, items }): [string, Float32Array] => {
    const own = vectors!.data.subarray(at, at + items.length * d);
    at += items.length * d;
    return [id, own];
  });
  return { table: table!, vectors: new Map(byVisitor), ...(bias && { bias: bias.data }) };
}

async function encode(
  { config, tensors }: Base,
  { itemIds, support }: PersonalLog,
  name: ModelName,
  visitors: readonly HeldOutVisitor[],
): Promise<Record<string, NdArray>> {
  await startFirst('wasm', process.stderr);
  const model = await models[name]!();
  const n = itemIds.length;
  const catalogue: Catalogue = { items: n, support };
  const names = Object.keys(model.parameters(config as never, catalogue));
  const params = upload(Object.fromEntries(names.map((name) => [name, tensors[name]!])));
  const [table, bias] = tidy(() => {
    const outputs = model.outputs(params, config as never);
    const rows = slice(outputs.table, [1, 0], [n, -1]);
    const values = rows.dataSync() as Float32Array;
    return [
      { data: values.slice(), shape: rows.shape },
      outputs.bias && (slice(outputs.bias, 1, n).dataSync() as Float32Array).slice(),
    ] as const;
  });
  const d = table.shape[1]!;
  const total = visitors.reduce((sum, { items }) => sum + items.length, 0);
  const vectors = new Float32Array(total * d);
  let row = 0;
  let batch: { readonly row: number; readonly session: SessionInput }[] = [];
  const flush = () => {
    const prepared = model.prepare(
      batch.map(({ session }) => session),
      config as never,
      catalogue,
    );
    const found = tidy(
      () => model.encode(params, upload(prepared), config as never, { dropout: (x) => x }).dataSync() as Float32Array,
    );
    batch.forEach(({ row }, b) => {
      vectors.set(found.subarray(b * d, (b + 1) * d), row * d);
    });
    batch = [];
  };
  for (const { items, times, sessions } of visitors) {
    let start = 0;
    for (let e = 0; e < items.length; e++, row++) {
      if (e > 0 && sessions[e] !== sessions[e - 1]) start = e;
      if (e === start) continue;
      batch.push({ row, session: { items: items.subarray(start, e), times: times.subarray(start, e) } });
      if (batch.length === BATCH) flush();
    }
  }
  if (batch.length > 0) flush();
  return {
    table,
    vectors: { data: vectors, shape: [total, d] },
    ...(bias && { bias: { data: bias, shape: [n] } }),
  };
}

/** A kill leaves the file that was, or the new one. */
export function write(file: string, content: string | Uint8Array): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

/** Trains and encodes, so that the rest can be measured. */
export async function main(args: readonly string[]): Promise<void> {
  const { openLog } = await import('./personal-logs');
  const work = '.cache/personal';
  for (const logName of (args[0] ?? 'simulator').split(',') as LogName[]) {
    const log = await openLog(logName);
    console.error(
      `${logName}: ${log.itemIds.length} items, ${log.log.sessions.offsets.length - 1} sessions, ${log.log.sessions.items.length} events; ${log.reported.length} + ${log.tuning.length} held out, ${log.unknown} unknown`,
    );
    for (const model of (args[1]?.split(',') ?? MODEL_NAMES) as ModelName[]) {
      await encodedOf(log, model, work);
      console.error(`${logName} ${model}: encoded`);
    }
  }
}
