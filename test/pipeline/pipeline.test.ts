import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { RecommenderError } from '../../src/errors';
import { evaluate } from '../../src/pipeline/evaluate';
import { nodeHost } from '../../src/pipeline/files/training-host';
import { inspect } from '../../src/pipeline/inspect';
import type { Message, Observer, Progress } from '../../src/pipeline/observer';
import { type EventsSource, inspectLog, readLog } from '../../src/pipeline/read-events';
import { split } from '../../src/pipeline/split';
import { train } from '../../src/pipeline/train';
import { trainOn } from '../../src/pipeline/training';
import type { ReadOptions } from '../../src/session/options';
import type { Layout } from '../../src/train/data-parallel';
import { file, folder } from '../cli/program';
import { RING_LOG } from '../cli/ring-log';

/** A file as a page has it. */
function sourceOf(blob: Blob, name: string): EventsSource {
  return {
    name,
    size: blob.size,
    slice: (start, end) => blob.slice(start, end).arrayBuffer(),
    async *pieces(isPacked, onBytes) {
      const unpacked = isPacked ? blob.stream().pipeThrough(new DecompressionStream('gzip')) : blob.stream();
      for await (const piece of unpacked) yield piece as Uint8Array;
      onBytes(blob.size);
    },
  };
}

/** What an observer hears. */
function received() {
  const progress: Progress[] = [];
  const messages: Message[] = [];
  const epochs: number[] = [];
  const observer: Observer = {
    onProgress: (one) => void progress.push(one),
    onMessage: (one) => void messages.push(one),
    onEpoch: ({ epoch }) => void epochs.push(epoch),
  };
  return { progress, messages, epochs, observer };
}

const SMALL = { layers: [8], batchSize: 8, nSample: 8, nEpochs: 3 };

let data: string;
let out: string;
beforeEach(async () => {
  data = await file('events.csv', RING_LOG);
  out = join(await folder(), 'model');
});

test('what needs too much memory is refused before it begins, by its largest log', async () => {
  const { epochs, observer } = received();
  const asked: unknown[] = [];
  const checkMemory = (_: string, layout: Layout, events: number, threads: number): void => {
    asked.push({ weights: Object.keys(layout).length > 0, events, threads });
    throw new RecommenderError('bad-config', 'too large');
  };
  const options = { data, model: 'gru4rec', out, preset: 'none', config: SMALL, ...observer };
  await expect(trainOn({ ...nodeHost, checkMemory }, options, false)).rejects.toThrow('too large');
  expect(asked).toEqual([{ weights: true, events: (await inspect(data)).events, threads: 1 }]);
  expect(epochs).toEqual([]);
});

describe('readLog', () => {
  const readBlob = (blob: Blob, options: ReadOptions, observer?: Observer) =>
    readLog({ name: 'mine.csv', size: blob.size, parts: [sourceOf(blob, 'mine.csv')] }, options, observer);

  test('reads what a page hands it, plain and packed, as a file on disk is read', async () => {
    const plain = new Blob([RING_LOG]);
    const packed = await new Response(plain.stream().pipeThrough(new CompressionStream('gzip'))).blob();
    const summary = await inspect(data);
    for (const blob of [plain, packed]) {
      const log = await readBlob(blob, { minLength: 1 });
      expect({ ...inspectLog(log, 'mine.csv'), file: data }).toEqual(summary);
    }
  });

  test('names the source in its messages, and stops by the signal', async () => {
    const read = (text: string, observer?: Observer) => readBlob(new Blob([text]), {}, observer);
    await expect(read('a,b\n')).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('mine.csv'),
    });
    await expect(read(RING_LOG, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
      message: 'Interrupted while reading mine.csv.',
    });
  });
});

describe('the pipeline', () => {
  test('splits, trains and evaluates by typed calls that print nothing', async () => {
    const prints = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'));
    const parts = join(await folder(), 'parts');
    const counts = await split({ data, out: parts, test: { share: 0.2 } });
    const training = { data: join(parts, 'train.tsv.gz'), model: 'gru4rec', preset: 'none', out, config: SMALL };
    const trained = await train({ ...training, epochs: 1 });
    expect(trained).toMatchObject({ artifact: out, ...counts.train });
    const { name, evaluation } = await evaluate({ artifacts: [out], data: join(parts, 'test.tsv.gz'), ks: [5] });
    expect({ name, evaluation }).toMatchObject({ name: 'model', evaluation: { artifact: out, protocol: 'events' } });
    expect(Object.keys(evaluation.metrics.conservative)).toEqual(['recall@5', 'mrr@5', 'ndcg@5']);
    expect(await inspect(out)).toMatchObject({ architecture: 'gru4rec', items: counts.train.items });
    for (const print of prints) {
      expect(print).not.toHaveBeenCalled();
      print.mockRestore();
    }
  });

  test('reports each task from its beginning to its end, each epoch, and what a person should know', async () => {
    const { progress, messages, epochs, observer } = received();
    const { refit } = await train({ data, model: 'gru4rec', preset: 'none', out, config: SMALL, ...observer });
    const labels = [...new Set(progress.map(({ label }) => label))];
    const again = Array.from({ length: refit ? refit.epochs : 0 }, (_, i) => i + 1);
    expect(labels).toEqual([
      `Reading ${data}`,
      ...[1, 2, 3].map((epoch) => `gru4rec, epoch ${epoch} of 3`),
      'Comparing gru4rec with counting models',
      ...again.map((epoch) => `gru4rec, refit epoch ${epoch} of ${again.length}`),
    ]);
    for (const label of labels) {
      const task = progress.filter((one) => one.label === label);
      expect(task[0]).toMatchObject({ done: 0, isFinished: false });
      expect(task.map(({ isFinished }) => isFinished).indexOf(true)).toBe(task.length - 1);
      expect(task.at(-1)!.done).toBe(task[0]!.total);
    }
    expect(again.length).toBeGreaterThan(0);
    expect(epochs).toEqual([1, 2, 3, ...again]);
    expect(messages[0]).toEqual({ level: 'info', text: expect.stringMatching(/^Validation on \d+ sessions/) });
  });

  test('stops by its signal with a checkpoint, from which the same call ends with the same weights', async () => {
    const options = { data, model: 'gru4rec', preset: 'none', config: SMALL, valid: 'none' };
    const abort = new AbortController();
    const stopped = train({ ...options, out, signal: abort.signal, onEpoch: () => abort.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    await expect(train({ ...options, out })).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining('holds an unfinished training'),
    });
    const resumed = await train({ ...options, out, resume: true });
    const whole = await train({ ...options, out: join(out, '..', 'whole') });
    expect(resumed.epochs.map(({ loss }) => loss)).toEqual(whole.epochs.map(({ loss }) => loss));
  });
});
