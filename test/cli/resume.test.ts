import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import type { Sink } from '../../src/cli/context';
import { run } from '../../src/cli/main';
import { createSha256, readCheckpoint, writeCheckpoint } from '../../src/pipeline/files/training-checkpoint';
import { CHECKPOINT, encodeCheckpoint } from '../../src/pipeline/training-checkpoint';
import { slice } from '../soak-slice';
import { aisle } from './program';
import { FILES, RING_LOG, ringFolder, trainSmall } from './ring-log';

let data: string;
let place: string;
beforeEach(async () => {
  ({ data, place } = await ringFolder());
});
afterEach(() => vi.restoreAllMocks());

const at = (name: string) => join(place, name);
const argv = (model: string, out: string, ...more: string[]) => [
  ...trainSmall(model, data, at(out)),
  '--epochs',
  '4',
  '--valid',
  'last:20%',
  ...more,
];
const weights = (out: string) => readFile(join(at(out), 'weights.safetensors'));

/** When to press Ctrl-C: as this line is printed, or the n-th time (from 0) that somebody asks whether it was pressed. */
type Moment = { readonly line: string } | { readonly ask: number };

/** Runs the program and presses Ctrl-C; also tells how often it was asked about before each line of standard error. */
async function runUntil(args: readonly string[], moment?: Moment) {
  const abort = new AbortController();
  const { signal } = abort;
  const { get: aborted } = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!;
  let asks = 0;
  Object.defineProperty(signal, 'aborted', {
    get() {
      if (moment && 'ask' in moment && asks === moment.ask) abort.abort();
      asks++;
      return aborted!.call(signal);
    },
  });
  const lines: { text: string; asks: number }[] = [];
  let stdout = '';
  const stderr: Sink = {
    write(text) {
      lines.push({ text, asks });
      if (moment && 'line' in moment && text.startsWith(moment.line)) abort.abort();
    },
  };
  const code = await run(args, { stdout: { write: (text) => (stdout += text) }, stderr, signal });
  const asksAt = (start: string): number => lines.find(({ text }) => text.startsWith(start))!.asks;
  return { code, stdout, stderr: lines.map(({ text }) => text).join(''), asksAt };
}

/** Somebody asks before every step, and after every batch of a validation. */
const MOMENTS: [string, (asksAt: (start: string) => number) => Moment, RegExp][] = [
  ['before the first step', (asksAt) => ({ ask: asksAt('Validation on') }), /Interrupted before epoch 1\. /],
  ['in the middle of an epoch', (asksAt) => ({ ask: asksAt('epoch 1') + 3 }), /in epoch 2 after 3 steps\. /],
  ['during a validation', (asksAt) => ({ ask: asksAt('epoch 2') - 1 }), /in the validation after epoch 2\. /],
  ['between two epochs', () => ({ line: 'epoch 2 ' }), /Interrupted before epoch 3\. /],
];

describe.each(['gru4rec', 'sasrec'])('%s', (model) => {
  describe.each(slice(['wasm', 'cpu'], (backend) => backend === 'wasm'))('on %s', (backend) => {
    test.each(MOMENTS)('goes on where Ctrl-C ended it, to the same bytes: %s', async (_, momentOf, message) => {
      const whole = await runUntil(argv(model, 'whole', '--refit', 'no', '--backend', backend));
      expect(whole.code).toBe(0);
      const args = argv(model, 'parts', '--refit', 'no', '--backend', backend);
      const { code, stdout, stderr } = await runUntil(args, momentOf(whole.asksAt));
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr).toContain(`${join(at('parts'), CHECKPOINT)} holds everything: the same command with --resume`);
      expect(stderr.includes('with --resume and --keep-best it writes the best')).toBe(
        !stderr.includes('before epoch 1.'),
      );
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(await readdir(at('parts'))).toEqual([CHECKPOINT]);
      const { metadata } = decodeSafetensors(await readFile(join(at('parts'), CHECKPOINT)), CHECKPOINT);
      const { spent } = JSON.parse(metadata['state']!);

      const resumed = await aisle(...args, '--resume', '--json');
      expect(resumed.code).toBe(0);
      expect((await weights('parts')).equals(await weights('whole'))).toBe(true);
      expect(await readdir(at('parts'))).toEqual(FILES);
      expect((await readdir(place)).sort()).toEqual(['parts', 'whole']);
      const training = async (out: string) => {
        const { epochs, best } = JSON.parse(await readFile(join(at(out), 'manifest.json'), 'utf8')).training;
        return { best, epochs: epochs.map(({ seconds, ...rest }: { seconds: number }) => rest) };
      };
      expect(await training('parts')).toEqual(await training('whole'));
      const { epochs, seconds, processorSeconds } = JSON.parse(resumed.stdout);
      expect(epochs).toHaveLength((await training('whole')).epochs.length);
      // What the interrupted run has taken counts.
      expect(seconds).toBeGreaterThan(spent.seconds);
      expect(processorSeconds).toBeGreaterThan(spent.processorSeconds);
    });
  });

  test.each([1, 3])('may be interrupted twice, with the weights of %i epochs averaged', async (averageEpochs) => {
    const averaged = ['--refit', 'no', '--set', `averageEpochs=${averageEpochs}`];
    const { asksAt } = await runUntil(argv(model, 'whole', ...averaged));
    const args = argv(model, 'parts', ...averaged);
    expect((await runUntil(args, { ask: asksAt('epoch 1') + 2 })).code).toBe(130);
    expect((await runUntil([...args, '--resume'], { line: 'epoch 3' })).code).toBe(130);
    expect((await aisle(...args, '--resume')).code).toBe(0);
    expect((await weights('parts')).equals(await weights('whole'))).toBe(true);
  });
});

/** The artifact's files, without what a clock has measured. */
async function timeless(out: string): Promise<Record<string, string>> {
  const files = await Promise.all(
    FILES.map(async (name) => {
      const text = (await readFile(join(at(out), name))).toString('latin1');
      return [
        name,
        text
          .replaceAll(/"seconds": [\d.e-]+/g, '')
          .replaceAll(/in \d+ s\b/g, '')
          .replaceAll(out, 'model'),
      ];
    }),
  );
  return Object.fromEntries(files);
}

describe('the training on everything', () => {
  const IN_REFIT: [string, (asksAt: (start: string) => number) => Moment, RegExp][] = [
    [
      'in the comparison before it',
      (asksAt) => ({ ask: asksAt('Training again') - 1 }),
      /Interrupted in the comparison with counting models\. .*with --resume goes on/,
    ],
    ['before its first step', (asksAt) => ({ ask: asksAt('Training again') }), /Interrupted before refit epoch 1\. /],
    ['inside an epoch', (asksAt) => ({ ask: asksAt('refit epoch 1') + 2 }), /in refit epoch 2 after 2 steps\. /],
    ['between two epochs', () => ({ line: 'refit epoch 1 ' }), /Interrupted before refit epoch 2\. /],
  ];
  test.each(IN_REFIT)('goes on where Ctrl-C ended it, to the same artifact: %s', async (_, momentOf, message) => {
    const log = ['--log', at('epochs.jsonl')];
    const whole = await runUntil(argv('gru4rec', 'whole', ...log));
    expect(whole.code).toBe(0);
    const written = async () => (await readFile(at('epochs.jsonl'), 'utf8')).replaceAll(/"seconds":[\d.e-]+/g, '');
    const lines = await written();
    const args = argv('gru4rec', 'parts', ...log);
    const { code, stderr } = await runUntil(args, momentOf(whole.asksAt));
    expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringMatching(message) });
    expect(await readdir(at('parts'))).toEqual([CHECKPOINT]);
    const resumed = await aisle(...args, '--resume', '--json');
    expect(resumed).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/^epoch/m) });
    expect(await timeless('parts')).toEqual(await timeless('whole'));
    expect(await written()).toBe(lines);
    const { epochs, refit, seconds } = JSON.parse(resumed.stdout);
    const spent = [...epochs, refit].reduce((sum, part) => sum + part.seconds, 0);
    expect(seconds).toBeGreaterThan(spent);
  });

  test('does not go on where the validation part has other new products', async () => {
    const late = (names: string) =>
      writeFile(at('late.csv'), `session_id,item_id,timestamp\na,"p""1",1\na,"p""2",2\n${names}`);
    const args = argv('gru4rec', 'model', '--valid', at('late.csv'));
    await late('b,new,3\nb,"p""4",4\n');
    expect((await runUntil(args, { line: 'Training again' })).code).toBe(130);
    await late('b,new,3\nb,newer,3\nb,"p""4",4\n');
    const { code, stderr } = await aisle(...args, '--resume');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('its everything was "262 events in 62'),
    });
  });

  test('may be left out after all: the measured model is written', async () => {
    await aisle(...argv('gru4rec', 'once', '--refit', 'no'));
    expect((await runUntil(argv('gru4rec', 'model'), { line: 'refit epoch 1 ' })).code).toBe(130);
    const { code, stdout } = await aisle(...argv('gru4rec', 'model', '--refit', 'no'), '--resume', '--json');
    expect({ code, refit: JSON.parse(stdout).refit }).toEqual({ code: 0, refit: false });
    expect((await weights('model')).equals(await weights('once'))).toBe(true);
  });
});

describe('--keep-best', () => {
  const keep = (...more: string[]) => aisle(...argv('gru4rec', 'model', ...more), '--resume', '--keep-best', '--json');

  test('writes the best epoch so far, measured, with an interruption in its card', async () => {
    await aisle(...argv('gru4rec', 'two', '--epochs', '2', '--refit', 'no'));
    const { asksAt } = await runUntil(argv('gru4rec', 'other'));
    await runUntil(argv('gru4rec', 'model'), { ask: asksAt('epoch 2 ') + 2 });
    const { code, stdout, stderr } = await keep();
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/epoch \d/) });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ interrupted: 'in epoch 3 after 2 steps', refit: false, best: { epoch: 2 } });
    expect(result.epochs).toHaveLength(2);
    expect(result.baseline.model).toEqual(expect.any(String));
    expect((await weights('model')).equals(await weights('two'))).toBe(true);
    expect(await readdir(at('model'))).toEqual(FILES);
    const card = await readFile(join(at('model'), 'README.md'), 'utf8');
    expect(card).toContain(
      'Training was interrupted in epoch 3 after 2 steps: these are the weights of epoch 2 of the training that was measured, ' +
        'without the validation sessions.',
    );
    const report = await readFile(join(at('model'), 'report.html'), 'utf8');
    expect(report).toContain('Training was interrupted in epoch 3 after 2 steps, and did not go on.');
  });

  test('writes the measured model where the training on everything was interrupted', async () => {
    await aisle(...argv('gru4rec', 'once', '--refit', 'no'));
    await runUntil(argv('gru4rec', 'model'), { line: 'refit epoch 1 ' });
    const { code, stdout } = await keep();
    const result = JSON.parse(stdout);
    expect({ code, result }).toMatchObject({
      code: 0,
      result: { refit: false, interrupted: 'before refit epoch 2' },
    });
    expect((await weights('model')).equals(await weights('once'))).toBe(true);
    expect(await readFile(join(at('model'), 'README.md'), 'utf8')).toContain(
      `before refit epoch 2: these are the weights of epoch ${result.best.epoch} of the training that was measured`,
    );
  });

  test('writes the last weights where nothing validates', async () => {
    await aisle(...argv('gru4rec', 'two', '--epochs', '2', '--valid', 'none'));
    await runUntil(argv('gru4rec', 'model', '--valid', 'none'), { line: 'epoch 2 ' });
    expect((await keep('--valid', 'none')).code).toBe(0);
    expect((await weights('model')).equals(await weights('two'))).toBe(true);
    expect(await readFile(join(at('model'), 'README.md'), 'utf8')).toContain(': these are the weights of epoch 2.');
  });

  test('is refused before the first epoch has ended, and without --resume; the checkpoint stays', async () => {
    const { asksAt } = await runUntil(argv('gru4rec', 'other'));
    await runUntil(argv('gru4rec', 'model'), { ask: asksAt('Validation on') + 2 });
    const early = await keep();
    expect({ code: early.code, stderr: early.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('no epoch of the training in'),
    });
    const alone = await aisle(...argv('gru4rec', 'model', '--keep-best'));
    expect({ code: alone.code, stderr: alone.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('add --resume'),
    });
    expect(await readdir(at('model'))).toEqual([CHECKPOINT]);
  });
});

describe('Ctrl-C', () => {
  test('while the log is read ends with 130 and leaves nothing', async () => {
    const abort = new AbortController();
    abort.abort();
    const sink = { write: () => {} };
    const code = await run(argv('gru4rec', 'model'), { stdout: sink, stderr: sink, signal: abort.signal });
    expect(code).toBe(130);
    expect(await readdir(place)).toEqual([]);
  });

  test('after the last epoch lets the artifact be written', async () => {
    const last = argv('gru4rec', 'model', '--epochs', '2', '--valid', 'none');
    const { code, stderr } = await runUntil(last, { line: 'epoch 2 ' });
    expect(code).toBe(0);
    expect(stderr).toContain(`The training had ended already: ${at('model')} is written.`);
    expect(await readdir(at('model'))).toEqual(FILES);
  });

  test('leaves the artifact that is to be replaced where it was', async () => {
    await aisle(...argv('gru4rec', 'model'));
    const before = await weights('model');
    const { code } = await runUntil(argv('gru4rec', 'model', '--seed', '2'), { line: 'epoch 1 ' });
    expect(code).toBe(130);
    expect((await weights('model')).equals(before)).toBe(true);
    expect((await aisle('recommend', '--artifact', at('model'), '--session', '')).code).toBe(0);
    expect((await aisle(...argv('gru4rec', 'model', '--seed', '2', '--resume'))).code).toBe(0);
    expect((await weights('model')).equals(before)).toBe(false);
  });
});

describe('--resume', () => {
  const stop = () => runUntil(argv('gru4rec', 'model'), { line: 'epoch 2 ' });
  const path = () => join(at('model'), CHECKPOINT);
  const resume = (...more: string[]) => aisle(...argv('gru4rec', 'model', ...more, '--resume'));

  test('of a run that has ended is wrong use', async () => {
    await aisle(...argv('gru4rec', 'model'));
    const { code, stderr } = await resume();
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing to resume') });
    expect(await readdir(at('model'))).toEqual(FILES);
  });

  test.each([
    ['another seed', ['--seed', '2'], '--seed 2 was --seed 1.'],
    ['another key', ['--set', 'layers=9'], '--set layers=9 was --set layers=8.'],
    ['another number of epochs', ['--epochs', '3'], '--epochs 3 was --epochs 4.'],
    ['another validation part', ['--valid', 'last:10%'], '--valid last:10% was --valid last:20%.'],
    ['no validation part', ['--valid', 'none'], '--valid none was --valid last:20%.'],
    ['other data', ['--holdout', '1'], '--holdout 1 was not given.'],
    ['fewer items', ['--min-support', '15'], '--min-support 15 was not given.'],
    ['another backend', ['--backend', 'cpu'], '--backend cpu was --backend wasm.'],
  ])('with %s names what differs', async (_, more, message) => {
    await stop();
    const { code, stderr } = await resume(...more);
    expect(stderr).toContain(message);
    expect(stderr).toContain('belongs to another run');
    expect(code).toBe(2);
    expect(await readdir(at('model'))).toEqual([CHECKPOINT]);
  });

  test('with flags that change no epoch names them, and follows them from then on', async () => {
    await aisle(...argv('gru4rec', 'once', '--refit', 'no'));
    const log = at('epochs.jsonl');
    await runUntil(argv('gru4rec', 'model', '--replay', '2', '--threads', '1'), { line: 'epoch 2 ' });
    const more = ['--licence', 'MIT', '--refit', 'no', '--log', log, '--min-support', '2', '--backend', 'wasm'];
    const { code, stderr } = await resume(...more);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(
        `${path()} goes on with other flags: --min-support 2 was not given, --licence MIT was not given, ` +
          '--refit no was not given, --log epochs.jsonl was not given, --threads 1 is missing now, --replay 2 is missing now. ' +
          'They apply from now on, and change no epoch.\n',
      ),
    });
    expect((await weights('model')).equals(await weights('once'))).toBe(true);
    const lines = (await readFile(log, 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).epoch)).toEqual([1, 2, 3, 4]);
    const { licence, training } = JSON.parse(await readFile(join(at('model'), 'manifest.json'), 'utf8'));
    expect({ licence, refit: training.refit }).toEqual({ licence: 'MIT', refit: false });
  });

  test('with --backend auto goes on with the backend that was in use', async () => {
    await aisle(...argv('gru4rec', 'once', '--backend', 'cpu'));
    await runUntil(argv('gru4rec', 'model', '--backend', 'cpu'), { line: 'epoch 2 ' });
    expect((await resume()).code).toBe(0);
    expect((await weights('model')).equals(await weights('once'))).toBe(true);
  });

  test('with the same flags says nothing of flags', async () => {
    await stop();
    expect((await resume()).stderr).not.toContain('flags');
  });

  test('from a checkpoint of an older version, which notes no backend and fewer flags, goes on', async () => {
    await aisle(...argv('gru4rec', 'whole'));
    await stop();
    const { metadata } = decodeSafetensors(await readFile(path()), CHECKPOINT);
    const { identity, flags: learning } = JSON.parse(metadata['state']!);
    const { backend, ...state } = await readCheckpoint(at('model'), identity);
    expect(backend).toBe('wasm');
    const flags = { learning, writing: undefined! };
    await writeFile(path(), encodeCheckpoint(createSha256, identity, state, flags));
    const { code, stderr } = await resume('--licence', 'MIT', '--backend', 'wasm');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('flags') });
    expect((await weights('model')).equals(await weights('whole'))).toBe(true);
  });

  test('from a checkpoint whose state is larger than the header of a model may be goes on', async () => {
    await stop();
    const { metadata } = decodeSafetensors(await readFile(path()), CHECKPOINT);
    const { identity, flags: learning, writing } = JSON.parse(metadata['state']!);
    const { validated: _, ...state } = await readCheckpoint(at('model'), identity);
    const epochs = Array.from({ length: 40_000 }, (_, i) => state.epochs[i % state.epochs.length]!);
    const large = encodeCheckpoint(createSha256, identity, { ...state, epochs }, { learning, writing });
    await writeFile(path(), large);
    expect((await readCheckpoint(at('model'), identity)).epochs).toHaveLength(40_000);
  });

  const withUsers = (...users: readonly [string, string]) =>
    RING_LOG.replaceAll(/^(s\d*)(\d),.*$|.+/gm, (line, _, digit) => `${line},${digit ? users[digit % 2] : 'user_id'}`);
  test.each([
    ['an item', RING_LOG.replace('"p""4"', '"p""5"')],
    ['the name of an item', RING_LOG.replaceAll('"p""4"', 'new')],
    ['times', RING_LOG.replaceAll(/\d$/gm, '$&.5')],
    ['users', withUsers('bob', 'ann')],
  ])('with %s changed in the file names what differs', async (what, content) => {
    if (what === 'users') await writeFile(data, withUsers('ann', 'bob'));
    await stop();
    await writeFile(data, content);
    const { code, stderr } = await resume();
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('its data was "') });
  });

  test('of another model names what differs', async () => {
    await stop();
    const { code, stderr } = await aisle(...argv('sasrec', 'model', '--resume'));
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--model sasrec was --model gru4rec, --set hiddenUnits=8 was not given'),
    });
  });

  test.each([
    ['what is left of it', 'after', 0, ''],
    ['another value', 'before', 2, 'gru4rec: "resetGate" is no longer an option and always "after", got "before"'],
  ])('from a checkpoint of an older version that holds a removed option with %s', async (_, value, code, message) => {
    await stop();
    const { metadata } = decodeSafetensors(await readFile(path()), CHECKPOINT);
    const { identity } = JSON.parse(metadata['state']!);
    await writeCheckpoint(at('model'), { ...identity, resetGate: value }, await readCheckpoint(at('model'), identity));
    const resumed = await resume();
    expect(resumed.stderr).toContain(message);
    expect(resumed.code).toBe(code);
  });

  test.each<[string, (bytes: Buffer) => Uint8Array, string]>([
    ['a flipped byte', (bytes) => bytes.map((byte, at) => (at === bytes.length - 9 ? byte ^ 1 : byte)), 'is damaged'],
    ['its end cut off', (bytes) => bytes.subarray(0, -100), CHECKPOINT],
    ['no content', () => new Uint8Array(), CHECKPOINT],
    ['text in it', () => Buffer.from('{"state": 1}'), CHECKPOINT],
  ])('from a checkpoint with %s is refused', async (_, damage, message) => {
    await stop();
    await writeFile(path(), damage(await readFile(path())));
    const { code, stderr } = await resume();
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
    expect(await readdir(at('model'))).toEqual([CHECKPOINT]);
  });

  test('from the weights of an artifact is refused', async () => {
    await aisle(...argv('gru4rec', 'other'));
    await stop();
    await writeFile(path(), await weights('other'));
    const { code, stderr } = await resume();
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('is no checkpoint') });
  });

  test('is asked for, or --restart, where a training is unfinished: its checkpoint is not written over', async () => {
    await stop();
    const before = await readFile(path());
    for (const model of ['gru4rec', 'pop']) {
      const words = ['train', '--data', 'no such file', '--model', model, '--out', at('model')];
      const { code, stdout, stderr } = await aisle(...words);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/model holds an unfinished training\. --resume goes on with it; --restart starts over/);
    }
    const both = await resume('--restart');
    expect({ code: both.code, stderr: both.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('one of them'),
    });
    expect((await readFile(path())).equals(before)).toBe(true);
  });

  test('is named by commands that read the artifact to be', async () => {
    await stop();
    const out = at('model');
    for (const words of [
      ['evaluate', '--artifact', out, '--data', data],
      ['recommend', '--artifact', out, '--session', ''],
      ['inspect', out],
      ['doctor', out],
    ]) {
      const { code, stderr } = await aisle(...words);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr:
          `aisle: ${out} holds an unfinished training and no artifact yet: the same "aisle train" with --resume goes on with it, ` +
          'with --resume and --keep-best it writes the best epoch so far.\n',
      });
    }
  });

  test('is not needed with --restart, which starts over', async () => {
    await aisle(...argv('gru4rec', 'whole', '--seed', '2'));
    await stop();
    // Nothing of the run before is left to resume, wherever this one ends.
    const { asksAt } = await runUntil(argv('gru4rec', 'other'));
    const ask = asksAt('Validation on');
    expect((await runUntil(argv('gru4rec', 'model', '--seed', '2', '--restart'), { ask })).code).toBe(130);
    expect((await resume('--seed', '2')).stderr).toMatch(/^epoch 1 /m);
    expect((await weights('model')).equals(await weights('whole'))).toBe(true);
  });

  test('is not hindered by the half-written file of a killed process', async () => {
    await stop();
    await writeFile(join(at('model'), `.${CHECKPOINT}.new-0123456789ab`), 'half');
    expect((await resume()).code).toBe(0);
    expect(await readdir(at('model'))).toEqual(FILES);
  });
});

describe('a full disk', () => {
  /** Refuses the n-th file that is written, and all after it. */
  async function fillAt(n: number): Promise<void> {
    const handle = await open(data, 'r');
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const { writeFile: write } = prototype;
    let count = 0;
    vi.spyOn(prototype, 'writeFile').mockImplementation(function (this: unknown, ...args: unknown[]) {
      if (++count < n) return write.apply(this, args);
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    });
  }

  test('at the first checkpoint ends with 1 and leaves nothing', async () => {
    await fillAt(1);
    const { code, stdout, stderr } = await aisle(...argv('gru4rec', 'deep/er'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(
      `Writing ${join(at('deep/er'), CHECKPOINT)} failed, nothing was changed: the disk is full`,
    );
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await readdir(place)).toEqual([]);
  });

  test('at the artifact ends with 1 and leaves the last checkpoint, from which it can be written later', async () => {
    await aisle(...argv('gru4rec', 'whole', '--refit', 'no'));
    await fillAt(5 + 1);
    const { code, stderr } = await aisle(...argv('gru4rec', 'model', '--refit', 'no'));
    expect(code).toBe(1);
    expect(stderr).toContain(`Writing ${at('model')} failed, nothing was changed: the disk is full; free some space`);
    expect(stderr).not.toMatch(/^\s+at /m);
    vi.restoreAllMocks();
    expect((await readdir(place)).sort()).toEqual(['model', 'whole']);
    expect(await readdir(at('model'))).toEqual([CHECKPOINT]);
    expect((await aisle(...argv('gru4rec', 'model', '--refit', 'no', '--resume'))).code).toBe(0);
    expect((await weights('model')).equals(await weights('whole'))).toBe(true);
  });

  test('leaves the artifact that was there', async () => {
    await aisle(...argv('pop', 'model').slice(0, 7));
    const before = await weights('model');
    await fillAt(2);
    const { code } = await aisle(...argv('markov', 'model').slice(0, 7));
    expect(code).toBe(1);
    expect((await weights('model')).equals(before)).toBe(true);
    expect(await readdir(place)).toEqual(['model']);
  });
});
