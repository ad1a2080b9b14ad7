/** The built program as a process of its own: signals, readers that go away, a machine without WebAssembly. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { built } from '../build/built';
import { isSoak, slice } from '../soak-slice';
import { aisle, file } from './program';
import { FILES, ringFolder, SMALL } from './ring-log';
import { startProgram } from './start-program';

vi.setConfig({ testTimeout: 120_000 }); // several processes, on a machine that may be busy

const program = join(built('cli'), 'aisle.js');

let data: string;
let place: string;
beforeEach(async () => {
  ({ data, place } = await ringFolder());
});

/** @param preload Code that runs in the process before the program. */
const start = (argv: readonly string[], preload?: string) => startProgram(program, argv, preload);

const training = (...more: string[]) => [
  'train',
  '--data',
  data,
  '--model',
  'gru4rec',
  '--out',
  join(place, 'model'),
  ...SMALL['gru4rec']!,
  ...more,
];

describe('Ctrl-C', () => {
  test('writes a checkpoint and exits with 130; --resume goes on', async () => {
    const long = training('--epochs', '100000');
    const { child, written, reads, code } = start(long);
    await reads('epoch 3 ');
    child.kill('SIGINT');
    expect(await code).toBe(130);
    expect(written.stderr).toContain('Interrupted: ending in order. Ctrl-C again ends at once.');
    expect(written.stderr).toContain('the same command with --resume goes on from there');
    expect(written.stderr).not.toMatch(/^\s+at /m);
    expect(written.stdout).toBe('');
    expect(await readdir(join(place, 'model'))).toEqual(['checkpoint.safetensors']);
    const again = start([...long, '--resume']);
    await again.reads('epoch ');
    expect(again.written.stderr).not.toMatch(/^epoch [12] /m);
    again.child.kill('SIGINT');
    expect(await again.code).toBe(130);
  });

  test('a second time ends at once, whatever the program waits for', async () => {
    // A disk that never answers: the end in order would last for ever.
    const stuck = `import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      fs.promises.rename = () => new Promise(() => setInterval(() => console.log(), 1000));
      syncBuiltinESMExports();`;
    const { child, written, reads, code } = start(training(), stuck);
    await reads('epoch 1 ');
    child.kill('SIGINT');
    await reads('Ctrl-C again ends at once');
    expect(child.exitCode).toBe(null);
    child.kill('SIGINT');
    expect(await code).toBe(130);
    expect(written.stderr).not.toMatch(/^\s+at /m);
  });
});

if (isSoak)
  describe('a kill without a warning', () => {
    test('of the training on everything: --resume ends with the artifact of a training that nobody has killed', async () => {
      const argv = (out: string, ...more: string[]) => [
        ...['train', '--data', data, '--model', 'gru4rec', '--out', join(place, out)],
        ...[...SMALL['gru4rec']!, '--epochs', '12', '--valid', 'last:10%', ...more],
      ];
      const killed = start(argv('model'));
      await killed.reads('refit epoch 1 ');
      killed.child.kill('SIGKILL');
      expect(await killed.code).toBe(null);
      expect(await readdir(join(place, 'model'))).toContain('checkpoint.safetensors');
      const again = start(argv('model', '--resume'));
      expect(await again.code).toBe(0);
      expect(again.written.stderr).toMatch(/^refit epoch \d/m);
      expect(await start(argv('whole')).code).toBe(0);
      for (const file of ['weights.safetensors', 'plan.bin', 'items.json']) {
        const [ours, theirs] = await Promise.all(['model', 'whole'].map((out) => readFile(join(place, out, file))));
        expect(ours!.equals(theirs!)).toBe(true);
      }
    });

    test('of a comparison repeats no finished cell, and no epoch that its checkpoint holds', async () => {
      const settings = { layers: [8], batchSize: 8, nSample: 8 };
      const variants = await file(
        'variants.json',
        JSON.stringify([{ name: 'net', model: 'gru4rec', config: settings }]),
      );
      const out = join(place, 'report');
      const argv = (epochs: number) => [
        'compare',
        '--data',
        data,
        '--out',
        out,
        '--models',
        'pop,markov',
        '--variants',
        variants,
        '--epochs',
        `${epochs}`,
        '--backend',
        'wasm',
      ];
      const epochs = 60;
      const killed = start(argv(epochs));
      await killed.reads('epoch 3 ');
      killed.child.kill('SIGKILL');
      expect(await killed.code).toBe(null);
      const again = start(argv(epochs));
      expect(await again.code).toBe(0);
      const { stderr } = again.written;
      for (const model of ['pop', 'markov']) expect(stderr).toMatch(new RegExp(`${model}: .* was there already`));
      expect(stderr).not.toMatch(/^epoch [12] /m);
      expect(stderr).toMatch(new RegExp(`^epoch ${epochs} `, 'm'));
      expect((await readdir(out)).sort()).toEqual(['cells', 'parts', 'report.html', 'report.json', 'report.md']);
    });
  });

describe('a reader that goes away', () => {
  test('does not end a training: its artifact is written', async () => {
    const { child, reads, code } = start(training('--epochs', isSoak ? '50' : '10'));
    await reads('epoch 1 ');
    child.stderr?.destroy();
    child.stdout?.destroy();
    expect(await code).toBe(0);
    expect(await readdir(join(place, 'model'))).toEqual(FILES);
  });

  const commands: [string, () => string[]][] = [
    ['train', () => training('--json')],
    ['evaluate', () => ['evaluate', '--artifact', join(place, 'model'), '--data', data]],
    ['recommend', () => ['recommend', '--artifact', join(place, 'model'), '--session', '']],
  ];
  test.each(slice(commands, ([command]) => command !== 'evaluate'))(
    'such as `head` is no error of %s',
    async (_, argv) => {
      expect((await aisle(...training())).code).toBe(0);
      const { child, written, code } = start(argv());
      child.stdout?.destroy();
      expect(await code).toBe(0);
      expect(written.stderr).not.toMatch(/EPIPE|^\s+at /m);
    },
  );
});

test('a full disk behind standard output is said in a line', async () => {
  const full = `process.stdout.write = () =>
    process.stdout.emit('error', Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' }));`;
  const { written, code } = start(['inspect', data], full);
  expect(await code).toBe(1);
  expect(written.stderr).toBe('aisle: standard output: the disk is full (ENOSPC).\n');
});

describe('where WebAssembly cannot start', () => {
  /** Node's own modules are compiled already; the bytes of a file are refused. */
  const forbidden = `const { instantiate } = WebAssembly;
    WebAssembly.instantiate = (source, imports) =>
      source instanceof WebAssembly.Module ? instantiate(source, imports) : Promise.reject(new Error('not on this machine'));`;

  test('training falls back to plain CPU, and only Aisle says so; recommending needs no such file', async () => {
    const train = start(training(), forbidden);
    expect(await train.code).toBe(0);
    const said = train.written.stderr.replace(/^(gru4rec, )?epoch .*\n/gm, '');
    expect(said).toMatch(
      /^Warning: plain CPU computes, many times slower\. The backend "wasm" could not be started.*\n$/,
    );
    const { written, code } = start(
      ['recommend', '--artifact', join(place, 'model'), '--session', '', '--json'],
      forbidden,
    );
    expect({ code: await code, stderr: written.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(written.stdout).backend).toBe('plan');
  });

  test('asking for it is an error in one sentence', async () => {
    const { written, code } = start(training('--backend', 'wasm'), forbidden);
    expect(await code).toBe(1);
    expect(written.stderr).toMatch(/^aisle: The backend "wasm" could not be started.*\n$/);
    expect(await readdir(place)).toEqual([]);
  });
});

test('a device in place of the log is refused', async () => {
  const { written, code } = start(['train', '--data', '/dev/null', '--model', 'pop', '--out', join(place, 'model')]);
  expect(await code).toBe(2);
  expect(written.stderr).toContain('/dev/null: this is a pipe or a device; write it to a file first');
});

test('an error nobody foresaw ends with 1 and one line, with --verbose with its stack', async () => {
  const broken = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    fs.promises.readdir = () => { throw new RangeError('unforeseen'); };
    syncBuiltinESMExports();`;
  const plain = start(training(), broken);
  expect(await plain.code).toBe(1);
  expect(plain.written.stderr).toBe('aisle: unforeseen (--verbose shows where)\n');
  const verbose = start([...training(), '--verbose'], broken);
  expect(await verbose.code).toBe(1);
  expect(verbose.written.stderr).toMatch(/^\s+at /m);
});
