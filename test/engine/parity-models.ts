/**
 * Trains the small models of the parity tests in Node and keeps Node's answers beside them:
 *
 *     node test/run.mjs test/engine/parity-models.ts
 *
 * With AISLE_PARITY_ARTIFACT=DIR an artifact of one's own, trained on the same shop, takes the place of GRU4Rec's.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { packArtifact } from '../../src/checkpoint/pack';
import { run } from '../../src/cli/main';
import type { BackendName } from '../../src/compute/types';
import type { RankedItem } from '../../src/engine/types';
import { loadEngine } from '../../src/pipeline/files/artifact-engine';
import { backendOptions } from '../../src/pipeline/files/backend';
import { newest, ROOT } from '../build/built';
import { sharedPath } from '../shared';
import {
  ANSWERING,
  ASKED,
  K,
  type Learnt,
  learnBoth,
  NODE_BACKENDS,
  type NodeBackend,
  PARITY_MODELS,
  type Parity,
  SMALL,
  timed,
} from './parity';

/** Sessions to train on, the latest ones: enough for scores that differ, and seconds of work. */
const TRAINED = 1500;
/** They take the places of the most frequent items, so that real sessions are full of them. */
const ODD = ['a,b', '"quoted" \'twice\'', '🧦', '__proto__', 'constructor'];

export const main = (): Promise<unknown> => parityModels();

/** Where they are: a folder for each model, and `parity.json`. The test server serves it. */
export const PARITY_FOLDER = join(ROOT, 'dist/test-models/parity');
const MADE_FROM = ['src', 'test/engine', 'package-lock.json'];

/**
 * For the tests in Node and in pages, which run side by side; made where they are missing or older than the sources: by one
 * process, on which the others wait.
 */
export async function parityModels(): Promise<Parity> {
  for (;;) {
    const made = existing();
    if (made) return made;
    if (takeLock()) {
      try {
        return existing() ?? (await makeParity());
      } finally {
        rmSync(LOCK);
      }
    }
    await setTimeout(500);
  }
}

function existing(): Parity | undefined {
  const made = join(PARITY_FOLDER, 'parity.json');
  if (!existsSync(made) || statSync(made).mtimeMs < newest(MADE_FROM)) return undefined;
  const parity: Parity = JSON.parse(readFileSync(made, 'utf8'));
  // Of an artifact of one's own, or without the real log, they are other ones.
  return parity.source === sourceOf() ? parity : undefined;
}

/** Holds the id of the process that makes them. */
const LOCK = `${PARITY_FOLDER}.lock`;

function takeLock(): boolean {
  mkdirSync(dirname(LOCK), { recursive: true });
  try {
    writeFileSync(LOCK, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch {
    if (!isHeld()) rmSync(LOCK, { force: true });
    return false;
  }
}

/** By a process that runs, and has done so for less than the time that making takes: another may have got its id. */
function isHeld(): boolean {
  try {
    return Date.now() - statSync(LOCK).mtimeMs < 600_000 && process.kill(Number(readFileSync(LOCK, 'utf8')), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function makeParity(): Promise<Parity> {
  const dir = PARITY_FOLDER;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const given = process.env['AISLE_PARITY_ARTIFACT'];
  const { train, test } = await logs(dir);
  const rename = given ? (id: string) => id : renaming(train);
  const log = join(dir, 'log.csv');
  writeFileSync(log, csv(train.slice(-TRAINED), rename));
  const sessions = asked(test, rename);
  const answers: Record<string, Parity['answers'][string]> = {};
  const learnt: Record<string, Parity['learnt'][string]> = {};
  for (const model of PARITY_MODELS) {
    const artifact = join(dir, model);
    if (given && model === 'gru4rec') cpSync(given, artifact, { recursive: true });
    else {
      const keys = Object.entries(SMALL[model] ?? {}).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
      await aisle(
        'train',
        '--data',
        log,
        '--model',
        model,
        '--out',
        artifact,
        '--epochs',
        '2',
        '--preset',
        'none',
        ...keys,
      );
    }
    answers[model] = await onEach(ANSWERING, (backend) => answersOf(artifact, backend, sessions));
    learnt[model] = await onEach(NODE_BACKENDS, (backend) =>
      learntOn(backend, model, sessions, join(dir, `learnt-${model}`)),
    );
  }
  const parity: Parity = { source: sourceOf(), sessions, answers, learnt };
  const written = join(dir, 'parity.new.json');
  writeFileSync(written, JSON.stringify(parity));
  renameSync(written, join(dir, 'parity.json')); // whole, or not there
  return parity;
}

async function onEach<B extends BackendName, T>(
  backends: readonly B[],
  work: (backend: B) => Promise<T>,
): Promise<Record<B, T>> {
  const results: [B, T][] = [];
  for (const backend of backends) results.push([backend, await work(backend)]);
  return Object.fromEntries(results) as Record<B, T>;
}

async function learntOn(
  backend: NodeBackend,
  model: string,
  sessions: Parity['sessions'],
  folder: string,
): Promise<Learnt> {
  const { losses, artifact } = await learnBoth(model, backend, sessions, await backendOptions(backend));
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of await packArtifact(artifact)) writeFileSync(join(folder, name), bytes);
  return { losses, answers: await answersOf(folder, backend, sessions) };
}

/** By the engine that `aisle recommend` uses. */
async function answersOf(artifact: string, backend: BackendName, sessions: Parity['sessions']) {
  const { engine } = await loadEngine(artifact, backend);
  const answers: Record<string, readonly RankedItem[]> = {};
  for (const [n, [name, ids]] of Object.entries(sessions).entries()) {
    answers[name] = (await engine.recommend({ ...timed(ids, n), k: K, exclude: [] })).items;
  }
  await engine.dispose();
  return answers;
}

interface Clicks {
  readonly session: string;
  readonly ids: string[];
}

const realLog = () => sharedPath('data/eshop-clothing-2008/sessions.tsv.gz');
/** What they are made of. */
const sourceOf = (): string =>
  [realLog() ? 'eshop-clothing-2008, from 25 July' : 'the simulator', process.env['AISLE_PARITY_ARTIFACT'] ?? []]
    .flat()
    .join(', ');

/** The real shop where it is, split as its README says; else an invented one. */
async function logs(dir: string): Promise<{ train: Clicks[]; test: Clicks[] }> {
  const real = realLog();
  const parts = join(dir, 'parts');
  if (real) await aisle('split', '--data', real, '--out', parts, '--test-from', '2008-07-25');
  else {
    await aisle('simulate', '--out', join(dir, 'shop'), '--items', '200', '--sessions', '5000', '--seed', '1');
    await aisle('split', '--data', join(dir, 'shop/events.tsv.gz'), '--out', parts, '--test', 'last:10%');
  }
  const [train, test] = [clicks(join(parts, 'train.tsv.gz')), clicks(join(parts, 'test.tsv.gz'))];
  return { train, test };
}

function clicks(path: string): Clicks[] {
  const [head, ...rows] = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  const [s, i] = ['session_id', 'item_id'].map((name) => head!.split('\t').indexOf(name));
  const sessions: Clicks[] = [];
  for (const row of rows) {
    const cells = row.split('\t');
    const last = sessions.at(-1);
    if (last?.session === cells[s!]) last!.ids.push(cells[i!]!);
    else sessions.push({ session: cells[s!]!, ids: [cells[i!]!] });
  }
  return sessions;
}

function renaming(sessions: readonly Clicks[]): (id: string) => string {
  const counts = new Map<string, number>();
  for (const { ids } of sessions) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const frequent = [...counts].sort(([, a], [, b]) => b - a).map(([id]) => id);
  const odd = new Map(ODD.map((name, k) => [frequent[k]!, name]));
  return (id) => odd.get(id) ?? id;
}

function csv(sessions: readonly Clicks[], rename: (id: string) => string): string {
  const quoted = (id: string) => `"${id.replaceAll('"', '""')}"`;
  const rows = sessions.flatMap(({ ids }, s) => ids.map((id, t) => `${s},${quoted(rename(id))},${1e9 + 1000 * s + t}`));
  return `session_id,item_id,timestamp\n${rows.join('\n')}\n`;
}

function asked(test: readonly Clicks[], rename: (id: string) => string): Record<string, string[]> {
  const step = Math.floor(test.length / ASKED);
  const real = Array.from({ length: ASKED }, (_, k) => test[k * step]!.ids.map(rename));
  const [first, second] = real;
  return {
    ...Object.fromEntries(real.map((ids, k) => [`session ${k + 1}`, ids])),
    '200 events': real.flat().slice(0, 200),
    'unknown items inside': ['gone', ...first!, 'toString', ...second!, '💥'],
    'the same without them': [...first!, ...second!],
    'only unknown items': ['gone', 'hasOwnProperty', 'a', 'b'],
    'an empty session': [],
    'odd ids': ODD,
  };
}

async function aisle(...argv: string[]): Promise<void> {
  let text = '';
  const sink = { write: (line: string) => (text += line) };
  const code = await run(argv, { stdout: sink, stderr: sink });
  if (code !== 0) throw new Error(`aisle ${argv.join(' ')} ended with ${code}: ${text}`);
}
