/** Base models of `npm run bench -- personal`: trained once on other visitors, and their session vectors of the held-out. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifact } from '../../src/checkpoint/artifact';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { run } from '../../src/compute/executor';
import { networkOf, type ScoringModel } from '../../src/engine/frozen-model';
import { readArtifactFolder, writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { startFirst } from '../../src/pipeline/files/backend';
import { loadScorer, NAMELESS } from '../../src/ranking/load-scorer';
import { trainFromLog } from '../../src/train/train-from-log';
import { validationScale } from '../../src/train/validation-scale';
import type { SessionInput, Sessions } from '../../src/types';
import type { HeldOutVisitor, PersonalLog } from './personal-logs';
import { baseKey, type LogName, MODEL_NAMES, type ModelName, SEED, SETTINGS } from './personal-plan';

/** A trained model as a page loads it, with what it makes of the held-out visitors' sessions. */
export interface Base extends ScoringModel {
  /** By visitor: `[events, d]`; the rows of first clicks of sessions, before which there is nothing, are 0. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** Trains a base model, or reads the one that was trained before, and encodes every prefix of every held-out session. */
export async function baseOf(log: PersonalLog, name: ModelName, work: string): Promise<Base> {
  const folder = join(work, `base-${log.name}-${name}-${baseKey(log.name, name)}`);
  await run((slice) => startFirst(slice, 'wasm', { onMessage: ({ text }) => console.error(text) }));
  if (!existsSync(folder)) await writeArtifactFolder(folder, await trained(log, name));
  const artifact = await readArtifactFolder(folder);
  const scorer = await loadScorer(artifact);
  const model = { artifact, scorer, network: scorer.network };
  const visitors = [...log.tuning, ...log.reported];
  const file = `${folder}.vectors.safetensors`;
  if (!existsSync(file)) {
    const vectors = await encodedVisitors(model, visitors);
    write(file, encodeSafetensors({ vectors: { data: vectors, shape: [vectors.length] } }));
  }
  const vectors = decodeSafetensors(readFileSync(file), file).tensors.vectors!.data as Float32Array;
  const d = vectors.length / visitors.reduce((sum, { items }) => sum + items.length, 0);
  let at = 0;
  const byVisitor = visitors.map(({ id, items }): [string, Float32Array] => {
    const own = vectors.subarray(at, at + items.length * d);
    at += items.length * d;
    return [id, own];
  });
  return { ...model, vectors: new Map(byVisitor) };
}

/** By the epochs of its settings; where its loss does not tell the scale of its scores, that is fitted on the tuning visitors. */
async function trained(log: PersonalLog, model: ModelName): Promise<Artifact> {
  const { name, itemIds, support, products } = log;
  const started = performance.now();
  const { architecture, config, tensors, golden, epochs } = await trainFromLog({
    model,
    config: SETTINGS[name][model],
    log: log.log,
    itemIds,
    support,
    seed: SEED,
    onEpoch({ epoch, loss }) {
      const seconds = Math.round((performance.now() - started) / 1000);
      console.error(`${name} ${model}: epoch ${epoch}, loss ${loss.toFixed(4)}, ${seconds} s`);
    },
  });
  const training = { epochs: epochs.length, seed: SEED };
  const info = { ...NAMELESS, name: model, architecture, config, items: itemIds.length, golden, training };
  const artifact = { info, itemIds, tensors, catalogue: products };
  const scorer = await loadScorer(artifact);
  try {
    if (scorer.network?.scale !== undefined) return artifact;
    const scale = await validationScale(scorer, sessionsOf(log.tuning), { protocol: 'events' });
    return { ...artifact, info: { ...info, ...(scale !== undefined && { scale }) } };
  } finally {
    scorer.dispose();
  }
}

function sessionsOf(visitors: readonly HeldOutVisitor[]): Sessions {
  const starts = visitors.flatMap(({ sessions }) =>
    Array.from(sessions, (own, e) => e === 0 || own !== sessions[e - 1]),
  );
  const offsets = Int32Array.from([...starts.flatMap((isStart, e) => (isStart ? [e] : [])), starts.length]);
  const all = <T>(of: (visitor: HeldOutVisitor) => Iterable<T>): T[] => visitors.flatMap((visitor) => [...of(visitor)]);
  const [items, times] = [all(({ items }) => items), all(({ times }) => times)];
  return { items: Int32Array.from(items), times: Float64Array.from(times), offsets };
}

/** Sessions of a batch. */
const BATCH = 256;

export async function encodedVisitors(model: ScoringModel, visitors: readonly HeldOutVisitor[]): Promise<Float32Array> {
  const prefixes: { readonly row: number; readonly session: SessionInput }[] = [];
  let rows = 0;
  for (const { items, times, sessions } of visitors) {
    let start = 0;
    for (let e = 0; e < items.length; e++, rows++) {
      if (e > 0 && sessions[e] !== sessions[e - 1]) start = e;
      const session = { items: items.subarray(start, e), times: times.subarray(start, e) };
      if (e > start) prefixes.push({ row: rows, session });
    }
  }
  let vectors = new Float32Array(0);
  for (let from = 0; from < prefixes.length; from += BATCH) {
    const batch = prefixes.slice(from, from + BATCH);
    const found = await networkOf(model).encode(batch.map(({ session }) => session));
    const d = found.length / batch.length;
    if (from === 0) vectors = new Float32Array(rows * d);
    batch.forEach(({ row }, b) => {
      vectors.set(found.subarray(b * d, (b + 1) * d), row * d);
    });
  }
  return vectors;
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
      (await baseOf(log, model, work)).scorer.dispose();
      console.error(`${logName} ${model}: encoded`);
    }
  }
}
