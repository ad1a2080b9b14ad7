/** Trainings on several threads, in the built program: Node cannot start a thread from a source in TypeScript. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CHECKPOINT } from '../../src/pipeline/training-checkpoint';
import { built } from '../build/built';
import { isSoak, slice } from '../soak-slice';
import { aisle } from './program';
import { ringFolder, trainSmall } from './ring-log';
import { startProgram } from './start-program';

vi.setConfig({ testTimeout: 120_000 }); // several processes, on a machine that may be busy

const program = join(built('cli'), 'aisle.js');

let data: string;
let place: string;
beforeEach(async () => {
  ({ data, place } = await ringFolder());
});

const at = (name: string) => join(place, name);
const weights = (out: string) => readFile(join(at(out), 'weights.safetensors'));
const argv = (model: string, out: string, ...more: string[]) => [
  ...trainSmall(model, data, at(out)),
  ...(model === 'markov' ? [] : ['--valid', 'last:20%', '--epochs', '3']),
  ...more,
];

/** Runs the built program; Ctrl-C is pressed as its standard error first holds a text. */
async function start(args: readonly string[], stopAt?: string): Promise<{ code: number | null; stderr: string }> {
  const { child, written, reads, code } = startProgram(program, args);
  if (stopAt !== undefined) {
    await reads(stopAt);
    child.kill('SIGINT');
  }
  return { code: await code, stderr: written.stderr };
}

/** Every kind of rows that can be cut: sequences, prefixes, masked clicks; a softmax over all, and negatives per click. */
const CASES: [string, ...string[]][] = [
  ['sasrec'],
  ['sasrec', '--set', 'loss=bce'],
  ['srgnn'],
  ['transformers4rec', '--set', 'lm=xlnet', '--set', 'objective=mlm'],
  ['transformers4rec', '--set', 'lm=gpt2', '--set', 'objective=clm'],
];

/** The same weights from one thread as from three, of which one has two parts of each batch. */
async function expectSame(model: string, ...settings: string[]): Promise<void> {
  for (const threads of ['1', '3']) {
    expect(await start(argv(model, threads, ...settings, '--threads', threads))).toMatchObject({ code: 0 });
  }
  expect((await weights('1')).equals(await weights('3'))).toBe(true);
}

if (isSoak) {
  test.each(CASES)('%s %s %s learns the same on one and on three threads, bit for bit', async (model, ...settings) => {
    await expectSame(model, ...settings, '--backend', 'wasm');
  });

  test('so it does on plain CPU', () => expectSame('sasrec', '--backend', 'cpu'));
}

describe('a training on two threads', () => {
  test('goes on after Ctrl-C, on three, to the bytes of one', async () => {
    const settings = ['--set', 'loss=bce', '--refit', 'no', '--threads'];
    expect((await start(argv('sasrec', 'whole', ...settings, '1'))).code).toBe(0);
    const stopped = await start(argv('sasrec', 'parts', ...settings, '2'), 'epoch 1  ');
    expect(stopped).toEqual({ code: 130, stderr: expect.stringContaining('--resume') });
    expect(await readdir(at('parts'))).toEqual([CHECKPOINT]);
    expect((await start(argv('sasrec', 'parts', ...settings, '3', '--resume'))).code).toBe(0);
    expect((await weights('parts')).equals(await weights('whole'))).toBe(true);
  });

  if (isSoak)
    test('goes on so in the training on everything', async () => {
      expect((await start(argv('sasrec', 'whole', '--threads', '2'))).code).toBe(0);
      const stopped = await start(argv('sasrec', 'parts', '--threads', '2'), 'refit epoch 1  ');
      expect(stopped.code).toBe(130);
      expect((await start(argv('sasrec', 'parts', '--threads', '3', '--resume'))).code).toBe(0);
      expect((await weights('parts')).equals(await weights('whole'))).toBe(true);
    });

  test('ends with what diverged, and with the exit code of that', async () => {
    const wild = ['--set', 'layerNormEps=0', '--threads', '2'];
    const { code, stderr } = await start(argv('sasrec', 'wild', ...wild));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/The loss became NaN at step \d+/) });
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a training whose steps cannot be shared', () => {
  const BESIDE = 'A second thread trains gru4rec on everything, beside the training that chooses its epochs.';

  /** Twelve epochs, of which a middle one is the best, with the mean of the last two as the result. */
  const OPTIONS = ['--epochs', '12', '--set', 'averageEpochs=2', '--sample-sessions', '0.9'];

  test('learns everything on a second thread meanwhile, to the bytes of one, also after Ctrl-C', async () => {
    const gru4rec = (out: string, ...more: string[]) => argv('gru4rec', out, ...OPTIONS, ...more);
    expect((await start(gru4rec('plain'))).code).toBe(0);
    const both = await start(gru4rec('both', '--threads', '2', '--log', at('both.jsonl')));
    expect(both).toEqual({ code: 0, stderr: expect.stringContaining(BESIDE) });
    expect(both.stderr).not.toContain('goes on on this thread');
    expect((await weights('both')).equals(await weights('plain'))).toBe(true);
    const epochs = (await readFile(at('both.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const numbers = (isAgain: boolean) =>
      epochs.filter(({ refit = false }) => refit === isAgain).map(({ epoch }) => epoch);
    const { best } = JSON.parse(await readFile(join(at('both'), 'manifest.json'), 'utf8')).training;
    expect(numbers(true)).toEqual(numbers(false).slice(0, best.epoch));
    expect(best.epoch).toBeLessThan(numbers(false).length);

    const stopped = await start(gru4rec('parts', '--threads', '2'), 'epoch 3  ');
    expect(stopped).toEqual({ code: 130, stderr: expect.stringContaining('--resume') });
    expect((await start(gru4rec('parts', '--threads', '2', '--resume'))).code).toBe(0);
    expect((await weights('parts')).equals(await weights('plain'))).toBe(true);
  });
});

describe('--threads', () => {
  test('beyond the parts of a batch is set to as many as those', async () => {
    const { code, stderr } = await start(argv('sasrec', 'many', '--epochs', '1', '--refit', 'no', '--threads', '9'));
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('4 threads share a step at most, not 9.'),
    });
  });

  const ON_ONE: [string, RegExp][] = [
    [
      'gru4rec',
      /gru4rec trains on one thread, whatever --threads says: its rows carry a state from step to step, and no training on everything follows\./,
    ],
    [
      'cl4srec',
      /cl4srec trains on one thread.*: its contrastive loss compares all sessions of a batch, and no training/,
    ],
    ['markov', /markov trains on one thread.*: it counts the log once\./],
    ['caser', /caser trains on one thread.*: its loss is no mean over targets, and no training/],
  ];
  test.each(slice(ON_ONE, ([model]) => model === 'caser' || model === 'markov'))(
    'of %s is reported to change nothing, and changes nothing',
    async (model, message) => {
      const more = model === 'markov' ? [] : ['--refit', 'no'];
      const plain = await aisle(...argv(model, 'plain', ...more));
      const threads = await aisle(...argv(model, 'threads', ...more, '--threads', '2'));
      const notices = { code: 0, stderr: expect.stringMatching(message) };
      expect({ code: threads.code, stderr: threads.stderr }).toEqual(notices);
      expect(plain.code).toBe(0);
      expect((await weights('threads')).equals(await weights('plain'))).toBe(true);
    },
  );

  test.each([
    ['nobody', ['--model', 'sasrec', '--threads', '0'], /whole number of 1 or more/],
    ['a GPU', ['--model', 'sasrec', '--threads', '2', '--backend', 'webgpu'], /a GPU has one queue/],
  ])('of %s is refused in one sentence', async (_, more, message) => {
    const { code, stderr } = await aisle('train', '--data', data, '--out', at('x'), ...more);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});
