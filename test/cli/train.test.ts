import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { version } from '../../package.json';
import { optionsOf as importOptions, register as registerImport } from '../../src/cli/commands/import';
import { register as registerSearch, optionsOf as searchOptions } from '../../src/cli/commands/search';
import { register as registerTrain, optionsOf as trainOptions } from '../../src/cli/commands/train';
import { run } from '../../src/cli/main';
import { importCommand, searchCommand, trainCommand } from '../../src/pipeline/commands';
import { inspectArtifact, readArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { aisle, file, folder } from './program';
import { RING_LOG, SMALL } from './ring-log';

let data: string;
let out: string;
beforeEach(async () => {
  data = await file('events.csv', RING_LOG);
  out = join(await folder(), 'model');
});

const train = (model: string, ...argv: string[]) =>
  aisle('train', '--data', data, '--out', out, '--model', model, ...argv);
const trained = async (model: string, ...argv: string[]) => {
  const { code, stdout, stderr } = await train(model, ...SMALL[model]!, ...argv, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return { ...JSON.parse(stdout), stderr };
};
const COUNTED = ['README.md', 'items.json', 'manifest.json', 'strategies.json', 'weights.safetensors'];
const FILES = [...COUNTED, 'plan.bin', 'report.html'].sort();
const manifest = () => JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
const metrics = Object.fromEntries(
  ['recall', 'mrr', 'ndcg'].flatMap((name) => [1, 5, 10, 20].map((k) => [`${name}@${k}`, expect.any(Number)])),
);
const difference = { mean: expect.any(Number), low: expect.any(Number), high: expect.any(Number) };

describe.each(['gru4rec', 'sasrec', 'srgnn', 'caser', 'transformers4rec'])('aisle train --model %s', (model) => {
  test('ends with one JSON object in the form of the contract, and a sound artifact', async () => {
    const { code, stdout, stderr } = await train(model, ...SMALL[model]!, '--valid', 'last:10%', '--json');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const result = JSON.parse(stdout);
    const epoch = (n: number) => ({ epoch: n, loss: expect.any(Number), seconds: expect.any(Number), valid: metrics });
    expect(result).toEqual({
      artifact: out,
      epochs: [epoch(1), epoch(2)],
      best: { epoch: expect.any(Number), metric: 'mrr@20', value: expect.any(Number) },
      ...(result.scale !== undefined && { scale: expect.any(Number) }),
      baseline: {
        model: expect.stringMatching(/^(pop|s-pop|item-knn|markov|ar|sr|decayed-sr|v-sknn|vstan)$/),
        metrics,
        behind: { 'mrr@20': difference, 'recall@20': difference },
        config: { remind: false }, // nothing repeats in this log
      },
      refit: { epochs: result.best.epoch, events: expect.any(Number), items: 12, seconds: expect.any(Number) },
      items: 12,
      sessions: 54,
      events: expect.any(Number),
      seconds: expect.any(Number),
      processorSeconds: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
    });
    expect(result.best.value).toBe(Math.max(...result.epochs.map(({ valid }: never) => valid['mrr@20'])));
    expect(stderr).toMatch(/^Validation on 6 sessions \(last:10%\)/m);
    expect(stderr).toMatch(/^epoch 2 {2}loss \d\.\d{4} {2}recall@20 \d\.\d{4} {2}mrr@20 \d\.\d{4} /m);
    expect(await readdir(out)).toEqual(FILES);
    expect(await inspectArtifact(out)).toMatchObject({ architecture: model, items: 12, events: result.refit.events });
    expect(manifest().training).toMatchObject({ epochs: result.epochs, best: result.best, seed: 1 });
    const answer = await aisle('recommend', '--artifact', out, '--item', 'p"4', '--k', '3', '--json');
    expect(JSON.parse(answer.stdout).items).toHaveLength(3);
  });

  test('gives the same bytes for the same seed, others for another', async () => {
    const weights = async (seed: string) => {
      await trained(model, '--seed', seed);
      return readFile(join(out, 'weights.safetensors'));
    };
    const first = await weights('5');
    expect((await weights('5')).equals(first)).toBe(true);
    expect((await weights('6')).equals(first)).toBe(false);
  });
});

test.each(['pop', 's-pop', 'markov', 'ar', 'sr', 'item-knn'])('counts %s like any model', async (model) => {
  const { code, stdout, stderr } = await train(model, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    artifact: out,
    epochs: [],
    refit: false,
    items: 12,
    sessions: 60,
    events: expect.any(Number),
    seconds: expect.any(Number),
    processorSeconds: expect.any(Number),
    peakMemoryBytes: expect.any(Number),
  });
  const test = await aisle('evaluate', '--artifact', out, '--data', data, '--json');
  expect(JSON.parse(test.stdout).metrics.conservative['recall@20']).toBeGreaterThan(0);
  expect((await aisle('recommend', '--artifact', out, '--item', 'p"4')).code).toBe(0);
});

test('--threads takes any number, and says once where one thread is used', async () => {
  const { code, stderr } = await train('pop', '--threads', '4');
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'Warning: pop trains on one thread, whatever --threads says: it counts the log once.\n',
  });
  expect((await train('pop', '--threads', '0')).code).toBe(2);
});

test('without --json a person reads what was learnt and what to do next', async () => {
  const { code, stdout } = await train('gru4rec', ...SMALL['gru4rec']!);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Trained gru4rec on \d+ events in 60 sessions of 12 items in \d+ s\.$/m);
  expect(stdout).toContain(`aisle demo --artifact ${out}`);
});

describe('progress', () => {
  /** A clock that goes on by a second whenever somebody looks, so that nothing is too short to be shown. */
  beforeEach(() => {
    let seconds = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => 1000 * seconds++);
  });
  afterEach(() => vi.restoreAllMocks());
  const argv = ['--preset', 'none', '--set', 'layers=8', '--set', 'batchSize=4', '--set', 'nSample=2', '--epochs', '1'];

  test('comes as lines in a pipe, on standard error only: share, rate, time left, loss', async () => {
    const { stdout, stderr } = await train('gru4rec', ...argv, '--json');
    expect(Object.keys(JSON.parse(stdout))).toContain('epochs');
    expect(stderr).toMatch(/^gru4rec, epoch 1 of 1 {2}\d+ % · \d+ steps\/s · [\d:]+ (s|min) left · loss \d\.\d{4}$/m);
    expect(stderr).not.toContain('\r');
    expect(stderr).not.toContain('█');
  });

  test('comes as a bar on a terminal, which is gone in the end', async () => {
    const ERASE = '\r\x1b[K';
    let shown = '';
    const stderr = { write: (text: string) => (shown += text), isTTY: true, columns: 120 };
    const flags = ['train', '--data', data, '--out', out, '--model', 'gru4rec', ...argv];
    expect(await run(flags, { stdout: { write: () => {} }, stderr })).toBe(0);
    const lines = shown.split(ERASE);
    const bar = lines.find((line) => line.startsWith('gru4rec'));
    expect(bar).toMatch(/^gru4rec, epoch 1 of 1 {2}█*░+ \d+ % · .* left · loss \d\.\d{4}/);
    expect(lines.at(-1)).toMatch(/^epoch 1 {2}loss \d\.\d{4} {2}.*\n$/);
  });
});

describe('the validation part', () => {
  const valid = async (...argv: string[]) => (await trained('gru4rec', ...argv)).epochs[0].valid;

  test('is none where --epochs is given, or none is asked for', async () => {
    expect(await valid()).toBeUndefined();
    const { epochs, best } = await trained('gru4rec', '--valid', 'none');
    expect(best).toEqual({ epoch: 2, metric: 'loss', value: epochs[1].loss });
  });

  test('is the last tenth of the sessions by default, with early stopping', async () => {
    const keys = ['--set', 'layers=8', '--set', 'batch_size=8', '--set', 'n_sample=0', '--set', 'n_epochs=60'];
    const { code, stdout } = await train('gru4rec', '--preset', 'none', '--refit', 'no', ...keys, '--json');
    expect(code).toBe(0);
    const { epochs, best, sessions } = JSON.parse(stdout);
    expect(sessions).toBe(54);
    expect(epochs.length).toBeLessThan(60);
    expect(epochs).toHaveLength(best.epoch + 5);
  });

  test('is a file, whose unknown items are counted', async () => {
    const later = await file(
      'later.csv',
      'session_id,item_id,timestamp\na,p"1,1\na,new,2\na,p"2,3\nb,new,1\nb,gone,2\n',
    );
    const { stderr, epochs, sessions } = await trained('gru4rec', '--valid', later);
    expect(stderr).toContain('Validation on 1 sessions');
    expect(stderr).toContain('left out: 3');
    expect({ valid: epochs[0].valid, sessions }).toEqual({ valid: metrics, sessions: 60 });
  });

  test('is the first event that every session holds out, as leave-one-out predicts it', async () => {
    const argv = ['--holdout', '2', '--valid', 'held-out', '--set', 'nEpochs=1', '--refit', 'no'];
    const { code, stdout } = await train('gru4rec', ...SMALL['gru4rec']!.slice(0, -2), ...argv, '--json');
    expect(code).toBe(0);
    const { epochs, sessions } = JSON.parse(stdout);
    const asked = ['evaluate', '--artifact', out, '--data', data, '--protocol', 'leave-one-out', '--target', 'valid'];
    const evaluated = JSON.parse((await aisle(...asked, '--json')).stdout);
    expect(epochs[0].valid).toEqual(evaluated.metrics.conservative);
    expect({ sessions, predictions: evaluated.n }).toEqual({ sessions: 60, predictions: 60 });
    expect(manifest().training.protocol).toContain('first event of every session that was held out');
  });

  test.each([
    ['held-out events without any', ['--valid', 'held-out'], 'Add --holdout 2'],
    [
      'the test event as the held-out one',
      ['--valid', 'held-out', '--holdout', '1'],
      'got --holdout 1. Add --holdout 2',
    ],
    ['a part that is none', ['--valid', 'last:soon'], 'Expected last:DAYSd'],
    ['a file that is not there', ['--valid', 'later.csv'], 'later.csv: no such file'],
    ['an empty name', ['--valid', ''], 'Expected none, last:10%'],
    ['all there is', ['--valid', 'last:400d'], 'would be empty'],
  ])('is refused: %s', async (_, argv, message) => {
    const { code, stderr } = await train('gru4rec', ...argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });

  test('that knows no item of the training part is refused', async () => {
    const later = await file('later.csv', 'session_id,item_id,timestamp\na,new,1\na,gone,2\n');
    const { code, stderr } = await train('gru4rec', '--valid', later);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('no session of two items') });
  });
});

describe('users of a log', () => {
  const lines = RING_LOG.trimEnd().split('\n');
  const named = lines.map((line, i) => (i === 0 ? `${line},user_id` : `${line},u${line.split(',')[0]!.length}`));

  test('have vectors in Caser where it is asked for them, as many as they are', async () => {
    data = await file('users.csv', `${named.join('\n')}\n`);
    await trained('caser', '--set', 'profile=user');
    expect(manifest().config).toMatchObject({ profile: 'user', users: 2 });
    expect((await inspectArtifact(out)).tensors).toContainEqual({ name: 'users', type: 'F32', shape: [2, 8] });
    const answer = await aisle('recommend', '--artifact', out, '--item', 'p"4', '--json');
    expect(JSON.parse(answer.stdout).items[0].reason).toBe('neural');
  });

  test('teach a device’s profile by their earlier sessions', async () => {
    const weights = async () => {
      await trained('caser', '--set', 'profile=device');
      return readFile(join(out, 'weights.safetensors'));
    };
    const nobody = await weights();
    data = await file('users.csv', `${named.join('\n')}\n`);
    expect((await weights()).equals(nobody)).toBe(false);
  });

  test('have no session twice among the earlier ones where its end is held out: training and evaluation agree', async () => {
    data = await file('users.csv', `${named.join('\n')}\n`);
    const held = ['--holdout', '2', '--valid', 'held-out', '--refit', 'no', '--set', 'profile=device', '--json'];
    const { stdout } = await train('caser', ...SMALL['caser']!, ...held);
    const { best } = JSON.parse(stdout);
    const asked = ['--data', data, '--protocol', 'leave-one-out', '--target', 'valid', '--json'];
    const { metrics } = JSON.parse((await aisle('evaluate', '--artifact', out, ...asked)).stdout);
    expect(best.value).toBeGreaterThan(0);
    expect(best.value).toBe(metrics.conservative['mrr@20']);
  });

  test('are asked for in a validation part, too, before a training that learns both', async () => {
    const later = await file('later.csv', 'session_id,item_id,timestamp\na,p"1,1\na,p"3,2\n');
    data = await file('users.csv', `${named.join('\n')}\n`);
    const user = ['--set', 'profile=user', '--valid', later];
    const { code, stderr } = await train('caser', ...SMALL['caser']!, ...user);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/names no users.* or --refit no\.$/m) });
    expect(stderr).not.toContain('epoch 1');
    await trained('caser', ...user, '--refit', 'no');
  });

  test('are asked for in one sentence where the log names none', async () => {
    const { code, stderr } = await train('caser', '--preset', 'none', '--set', 'profile=user', '--epochs', '1');
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('needs a log that names its users'),
    });
  });
});

describe('one session', () => {
  const ONE = 'session_id,item_id,timestamp\na,x,1\na,y,2\na,z,3\n';
  test.each(['gru4rec', 'sasrec', 'markov'])('trains %s, with a warning', async (model) => {
    data = await file('one.csv', ONE);
    const { code, stdout, stderr } = await train(model, '--json');
    expect({ code, stdout: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      stdout: { items: 3, sessions: 1, events: 3 },
    });
    expect(stderr).toContain('one.csv: only one session');
    if (model !== 'markov') expect(stderr).toContain('Warning: training goes on without validation');
  });

  test('does not hold the validation part that was asked for', async () => {
    data = await file('one.csv', ONE);
    const { code, stderr } = await train('gru4rec', '--valid', 'last:10%');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('would be empty') });
    const refit = await train('gru4rec', '--refit', 'yes');
    expect(refit).toMatchObject({ code: 2, stderr: expect.stringContaining('would be empty') });
  });
});

describe('the configuration', () => {
  const config = async (...argv: string[]) => {
    const { code, stderr } = await train('gru4rec', '--epochs', '1', ...argv);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return manifest().config;
  };
  const small = ['--set', 'batchSize=8', '--set', 'nSample=4'];

  test('comes from preset, then file, then single keys, whichever way they are spelt', async () => {
    const path = await file('config.json', JSON.stringify({ layers: [6], learning_rate: 0.3, momentum: 0.1 }));
    const keys = ['--preset', 'rsc15', '--config', path, ...small, '--set', 'learningRate=0.25'];
    expect(await config(...keys)).toMatchObject({
      layers: [6],
      learningRate: 0.25,
      momentum: 0.1,
      dropoutPHidden: 0.4,
      batchSize: 8,
      nSample: 4,
    });
  });

  test('comes from the log with --preset auto, which says in one line what it saw and picked', async () => {
    const own = ['--set', 'layers=6', ...small];
    const { code, stdout, stderr } = await train('gru4rec', '--preset', 'auto', ...own, '--epochs', '1', '--json');
    expect(code).toBe(0);
    const { auto } = JSON.parse(stdout);
    expect(auto.why).toMatch(
      /^12 items, 258 events in 60 sessions of 4\.3 .*, so the preset \S+; after the log .*nEpochs=40/,
    );
    expect(stderr.match(/^--preset auto, gru4rec: .*$/gm)).toEqual([`--preset auto, gru4rec: ${auto.why}`]);
    const { config, training, modelCard } = manifest();
    expect(training.auto).toEqual(auto);
    expect(modelCard).toContain(`Settings by \`--preset auto\`: ${auto.why}.`);
    expect(config).toMatchObject({ layers: [6], batchSize: 8, nSample: 4, nEpochs: 40 });
  });

  test('comes with --preset auto from what is learnt from, not from what leave-one-out holds out', async () => {
    const own = ['--set', 'layers=6', ...small, '--epochs', '1'];
    const { stderr } = await train('gru4rec', '--preset', 'auto', '--holdout', '2', '--valid', 'held-out', ...own);
    expect(stderr).toMatch(/^--preset auto, gru4rec: 12 items, 117 events in 39 sessions /m);
  });

  test('takes the official spelling and lists', async () => {
    const keys = [
      '--set',
      'layers=5/4',
      '--set',
      'batch_size=8',
      '--set',
      'n_sample=2',
      '--set',
      'dropout_p_embed=.25',
    ];
    const { layers, batchSize, nSample, dropoutPEmbed } = await config(...keys, '--set', 'constrained_embedding=false');
    expect({ layers, batchSize, nSample, dropoutPEmbed }).toEqual({
      layers: [5, 4],
      batchSize: 8,
      nSample: 2,
      dropoutPEmbed: 0.25,
    });
  });

  test.each<[string, string[], string]>([
    ['an unknown key', ['--set', 'dropoutPEmbd=0.1'], 'no option "dropoutPEmbd"; the nearest is "dropoutPEmbed"'],
    ['an unknown official key', ['--set', 'batch_sise=8'], 'no option "batch_sise"; the nearest is "batchSize"'],
    ['a key that every object has', ['--set', '__proto__=1'], 'no option "__proto__"'],
    ['no value', ['--set', 'layers'], 'Expected key=value'],
    ['two keys in one', ['--set', 'layers=8,loss=top1'], 'repeat it for each: layers=8, then loss=top1.'],
    ['a value out of range', ['--set', 'dropoutPHidden=1.5'], '"dropoutPHidden" must be a number from 0 to'],
    ['text for a number', ['--set', 'learningRate=fast'], '"learningRate" must be a number'],
    ['a list with a hole', ['--set', 'layers=100/'], '"layers" must be whole numbers from 1 to 4096, written 100/100'],
    ['an unknown word', ['--set', 'loss=crossentropy'], '"loss" must be one of cross-entropy, bpr-max'],
    ['an unknown preset', ['--preset', 'retailroket'], 'no preset "retailroket": it has retailrocket, diginetica'],
    ['a preset by a log that is not there', ['--preset', 'auto', '--data', 'nowhere.csv'], 'nowhere.csv: no such file'],
    ['no epoch', ['--epochs', '0'], 'Expected a whole number of 1 or more'],
    ['a seed that is none', ['--seed', 'x'], 'Expected a whole number of 0 or more'],
    ['a backend that is none', ['--backend', 'gpu'], 'Expected auto or wasm or cpu'],
    ['an unknown flag', ['--epoch', '3'], "unknown option '--epoch'"],
    [
      'a configuration file that is not there',
      ['--config', 'no.json'],
      'no.json cannot be read: no such file (ENOENT)',
    ],
    ['a catalogue that is not there', ['--catalogue', 'no.json'], 'no.json cannot be read: no such file (ENOENT)'],
    ['--resume without a run', ['--resume'], 'nothing to resume'],
  ])('is refused with a sentence: %s', async (_, argv, message) => {
    const { code, stdout, stderr } = await train('gru4rec', ...argv);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect({ code, stdout, written: existsSync(out) }).toEqual({ code: 2, stdout: '', written: false });
  });

  test.each([
    ['gru4rec', 'logq=1', 'has loss=bpr-max: set loss too, or take --preset none.'],
    ['srgnn', 'loss=cross-entropy', 'has sparseUpdates=true: set sparseUpdates too, or take --preset none.'],
    ['sasrec', 'hiddenUnits=51', 'has numHeads=2: set numHeads too, or take --preset none.'],
  ])('of %s names the preset where %s contradicts what it fixes, and what to do', async (model, setting, message) => {
    const { code, stderr } = await train(model, '--preset', 'diginetica', '--set', setting);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(` The preset diginetica ${message}`) });
  });

  test('ends with a command to copy, whatever the folder is called', async () => {
    const odd = `${out} of é`;
    const { stdout } = await aisle('train', '--data', data, '--model', 'pop', '--out', odd);
    expect(stdout).toContain(`Try it:  aisle demo --artifact '${odd}'\n`);
  });

  test('does not name a preset where a setting is refused without it, too', async () => {
    for (const setting of ['losss=ce', 'loss=cee', 'maxlen=0']) {
      const { code, stderr } = await train('sasrec', '--preset', 'diginetica', '--set', setting);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.not.stringContaining('preset') });
    }
  });

  test('does not name a preset where the settings that contradict each other are both given', async () => {
    const argv = ['--set', 'lm=bert', '--set', 'objective=clm'];
    const { code, stderr } = await train('transformers4rec', '--preset', 'eshop-clm', ...argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.not.stringContaining('The preset') });
  });

  test('names the preset that the log has picked', async () => {
    const { code, stderr } = await train('sasrec', '--preset', 'auto', '--set', 'hiddenUnits=51');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/The preset yoochoose-100k, picked by the log, has numHeads=\d: set numHeads too/),
    });
  });

  test.each([
    ['no JSON', '{"layers": ', 'is not valid JSON'],
    ['a list', '[100]', 'expected a JSON object'],
    ['an unknown key', '{"layer": [3]}', 'no option "layer"; the nearest is "layers"'],
  ])('is refused as a file with %s', async (_, content, message) => {
    const { code, stderr } = await train('gru4rec', '--config', await file('config.json', content));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test.each([
    ['gru5rec', [], 'No model is called "gru5rec"; the nearest is "gru4rec". Known are gru4rec, srgnn, sasrec, '],
    ['gru', [], 'No model is called "gru"; the nearest is "gru4rec".'],
    ['__proto__', [], 'No model is called "__proto__"'],
    ['pop', ['--epochs', '2'], '--epochs is for networks; pop counts the log once'],
    ['pop', ['--valid', 'last:10%'], '--valid is for networks'],
    ['pop', ['--resume'], '--resume is for networks'],
    ['pop', ['--backend', 'webgpu'], '--backend is for networks'],
    ['pop', ['--preset', 'small'], 'pop has no preset "small": it has none.'],
  ])('is refused for the model %s %s', async (model, argv, message) => {
    const { code, stderr } = await train(model, ...argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test.each(['gru4rec', 'sasrec', 'item-knn'])(
    'of %s is listed by --help: type, range, default, source',
    async (model) => {
      const { code, stdout } = await aisle('train', '--model', model, '--help');
      expect(code).toBe(0);
      await trained(model);
      for (const key of Object.keys(manifest().config)) {
        expect(stdout).toMatch(new RegExp(`^ {2}${key}=\\S.*\\n {6}\\S.*\\n {6}.*; source: \\S`, 'm'));
      }
      if (model === 'gru4rec')
        expect(stdout).toMatch(/^ {2}layers=100\n.*\n {6}whole numbers from 1 to 4096.*; source: default of/m);
    },
  );

  test('help of an unknown model is wrong use', async () => {
    expect(await aisle('train', '--model', 'gru5rec', '--help')).toMatchObject({ code: 2 });
  });
});

describe('the scale', () => {
  const argv = ['--set', 'loss=bpr-max', '--set', 'layers=8', '--set', 'batchSize=8', '--set', 'nSample=8'];

  test('is fitted on the validation part, written into the artifact, and handed on to a training that goes on', async () => {
    const first = await train('gru4rec', ...argv, '--json');
    const { scale } = JSON.parse(first.stdout);
    expect(scale).toBeGreaterThan(0);
    expect(manifest().scale).toBe(scale);
    expect(first.stderr).not.toContain('will not learn');
    expect((await aisle('inspect', out)).stdout).toContain(`scale       ${scale}`);
    const next = join(await folder(), 'next');
    await aisle('train', '--data', data, '--model', 'gru4rec', '--from', out, '--epochs', '1', '--out', next);
    expect(JSON.parse(readFileSync(join(next, 'manifest.json'), 'utf8')).scale).toBe(scale);
  });

  test('is unknown without a validation part, which is reported; or as it is given', async () => {
    const { scale, stderr } = await trained('gru4rec', '--set', 'loss=bpr-max');
    expect(scale).toBeUndefined();
    expect(manifest()).not.toHaveProperty('scale');
    expect(stderr).toContain(
      'Warning: the model will not learn on devices, nor be mixed by probabilities: there is no',
    );
    const given = await trained('gru4rec', '--set', 'loss=bpr-max', '--scale', '3.5');
    expect(given).toMatchObject({ scale: 3.5, stderr: expect.not.stringContaining('will not learn') });
    expect(manifest().training.command).toContain('--scale 3.5');
  });

  test('follows from a cross-entropy by itself', async () => {
    const { stderr } = await trained('gru4rec', '--set', 'loss=cross-entropy');
    expect(stderr).not.toContain('will not learn');
  });

  test.each(['0', '-1', 'Infinity', 'x'])('is refused where it is %s', async (scale) => {
    const { code, stderr } = await train('gru4rec', '--scale', scale);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Expected a number above 0') });
  });
});

test('--replay puts sessions of the log into the artifact, and the model card says so', async () => {
  await trained('gru4rec', '--epochs', '1');
  const plain = await readFile(join(out, 'weights.safetensors'));
  expect(manifest().modelCard).toContain('No personal data is inside');
  await trained('gru4rec', '--epochs', '1', '--replay', '0');
  expect((await readFile(join(out, 'weights.safetensors'))).equals(plain)).toBe(true);
  await trained('gru4rec', '--epochs', '1', '--replay', '8');
  const { tensors } = await readArtifactFolder(out);
  const offsets = tensors['catalogue.replay-offsets']!;
  expect(offsets.shape).toEqual([9]);
  expect(tensors['catalogue.replay']!.shape).toEqual([offsets.data[8]]);
  const { modelCard, training } = manifest();
  expect(modelCard).toContain('8 sessions of the log are inside');
  expect(training.command).toContain('--replay 8');
  expect((await train('v-sknn')).code).toBe(0);
  expect(manifest().modelCard).toMatch(
    /\d+ sessions of the log are inside, as lists of items with times, without user/,
  );
  const { code, stderr } = await train('pop', '--replay', '8');
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--replay is for networks') });
});

test('--holdout may leave one event of each session, or none of some', async () => {
  const data = await file('short.csv', 'session_id,item_id,timestamp\na,x,1\na,y,2\na,z,3\nb,y,4\nb,z,5\n');
  const out = join(await folder(), 'model');
  const { code, stderr } = await aisle('train', '--data', data, '--model', 'pop', '--holdout', '2', '--out', out);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('has 1 session to learn from') });
  expect(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')).training.data).toMatchObject({
    sessions: 1,
    events: 1,
  });
  for (const [holdout, message] of [
    ['3', /No session of .*short\.csv has more than 3 events, so --holdout 3 leaves nothing to learn from/],
    ['2', /No session has two events, .* or leave out fewer by --holdout\./],
  ] as const) {
    const argv = ['--data', data, '--model', 'gru4rec', '--preset', 'none', '--epochs', '1', '--holdout', holdout];
    const { code, stderr } = await aisle('train', ...argv, '--out', out);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  }
});

test('--holdout leaves the last events of every session out', async () => {
  const all = await trained('markov');
  const rest = await trained('markov', '--holdout', '2');
  expect(rest).toMatchObject({ sessions: 60, items: 12, events: all.events - 120 });
  expect(await trained('gru4rec', '--holdout', '2')).toMatchObject({ events: all.events - 120 });
});

test('--catalogue goes into the artifact', async () => {
  const catalogue = [{ id: 'p"4', title: 'Sock 🧦' }];
  await trained('markov', '--catalogue', await file('shop.json', JSON.stringify(catalogue)));
  expect(JSON.parse(await readFile(join(out, 'catalogue.json'), 'utf8'))).toMatchObject(catalogue);
});

test('--catalogue with a folder gives the artifact its aliases of the log, and its rules unless there are others', async () => {
  const feed = await file('feed.json', '[{"id":"p\\"4","gtin":"77","title":"Sock"},{"id":"new","gtin":"78"}]');
  const shop = await file('rules.json', '[{"do":"exclude","brand":"Nord"}]');
  const catalogue = join(await folder(), 'catalogue');
  expect((await aisle('catalogue', feed, '--rules', shop, '--out', catalogue)).code).toBe(0);
  const json = async (name: string) => JSON.parse(await readFile(join(out, name), 'utf8'));
  await trained('markov', '--catalogue', catalogue);
  expect(await json('aliases.json')).toEqual({ 'p"4': { also: ['77'] } });
  expect(await json('rules.json')).toEqual([{ do: 'exclude', brand: 'Nord' }]);
  await trained(
    'markov',
    '--catalogue',
    catalogue,
    '--rules',
    await file('own.json', '[{"do":"bury","brand":"West"}]'),
  );
  expect(await json('rules.json')).toEqual([{ do: 'bury', brand: 'West' }]);
});

test('sequences without times train too', async () => {
  data = await file('sequences.txt', Array.from({ length: 30 }, (_, u) => `u${u} a b c d`).join('\n'));
  const { code, stdout } = await train('markov', '--format', 'sequences', '--json');
  expect({ code, result: JSON.parse(stdout) }).toMatchObject({
    code: 0,
    result: { sessions: 30, events: 120, items: 4 },
  });
  const catalogue = ['--catalogue', await file('products.csv', 'article,title\na,Sock\n'), '--columns', 'item=article'];
  expect(await train('markov', '--format', 'sequences', ...catalogue)).toMatchObject({ code: 0 });
  expect(JSON.parse(await readFile(join(out, 'catalogue.json'), 'utf8'))).toMatchObject([{ id: 'a', title: 'Sock' }]);
});

test('the artifact tells where it comes from, without folders of its maker, and its command makes it again', async () => {
  const odd = await file('my events.csv', RING_LOG.replace('item_id', 'sku'));
  const argv = [...SMALL['gru4rec']!, '--columns', 'item=sku', '--min-support', '1', '--licence', 'CC BY 4.0'];
  await aisle('train', '--model', 'gru4rec', '--data', odd, '--out', out, ...argv);
  const { name, licence, modelCard, training } = manifest();
  expect({ name, licence, software: training.software }).toEqual({
    name: 'model',
    licence: 'CC BY 4.0',
    software: { aisle: version, node: process.version },
  });
  const { command } = training;
  expect(command).toContain(
    "aisle train --data 'my events.csv' --model gru4rec --out model --preset none --set layers=8",
  );
  expect(command).toContain(" --epochs 2 --columns item=sku --min-support 1 --licence 'CC BY 4.0' --seed 1");
  expect(modelCard).toContain(`    ${command}`);
  expect(JSON.stringify(manifest())).not.toContain(odd.replace(/[^/]*$/, ''));
});

/** Values of options, to be recorded. */
const VALUES: Readonly<Record<string, string>> = {
  data: 'a.csv',
  model: 'gru4rec',
  out: 'm',
  from: 'before',
  preset: 'auto',
  config: 'c.json',
  set: 'layers=8',
  epochs: '3',
  seed: '7',
  valid: 'last:7d',
  holdout: '2',
  catalogue: 'k.json',
  rules: 'r.json',
  replay: '9',
  licence: 'MIT',
  backend: 'cpu',
  threads: '2',
  columns: 'item=sku',
  format: 'sequences',
  'time-unit': 'ms',
  events: 'view',
  'sessions-by': 'gap:30',
  'min-support': '2',
  'min-length': '3',
  'skip-bad-rows': '4',
  range: 'layers=8..16',
  trials: '5',
  metric: 'recall@5',
  weights: 'w',
  items: 'i',
  prefix: 'p.',
  scale: '2.5',
  'sample-sessions': '0.5',
  refit: 'no',
};

test.each<[string, (program: Command) => void, (flags: never) => string, Readonly<Record<string, string>>]>([
  ['train', registerTrain, (flags) => trainCommand(trainOptions(flags)), {}],
  ['search', registerSearch, (flags) => searchCommand(searchOptions(flags)), {}],
  ['import', registerImport, (flags) => importCommand(importOptions(flags)), { from: 'sasrec' }],
])('the recorded command of %s has every option that was given', (name, register, recorded, own) => {
  const program = new Command();
  register(program);
  const [command] = program.commands;
  // What goes on, starts over or prints otherwise makes the same artifact.
  const others = ['--resume', '--keep-best', '--restart', '--log', '--json'];
  const options = command!.options.filter(({ long }) => !others.includes(long!));
  const words = options.flatMap(({ long, required }) => [
    long!,
    ...(required ? [{ ...VALUES, ...own }[long!.slice(2)]!] : []),
  ]);
  command!.parseOptions(words);
  expect(
    recorded(command!.opts() as never)
      .split(' ')
      .toSorted(),
  ).toEqual(['aisle', name, ...words].toSorted());
});

describe('the folder', () => {
  test('that holds something else is refused before any work', async () => {
    const place = await folder();
    await writeFile(join(place, 'thesis.txt'), 'mine');
    const { code, stderr } = await aisle('train', '--data', 'no such file', '--model', 'gru4rec', '--out', place);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('holds "thesis.txt"') });
    expect(await readdir(place)).toEqual(['thesis.txt']);
  });

  test('that is a file is refused before any work', async () => {
    const { code, stderr } = await aisle('train', '--data', 'no such file', '--model', 'pop', '--out', data);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('is a file; name a folder') });
  });

  test('with an artifact gets the new one', async () => {
    await trained('pop');
    await trained('gru4rec');
    expect(manifest().architecture).toBe('gru4rec');
    expect(await readdir(out)).toEqual(FILES);
    expect(await readdir(join(out, '..'))).toEqual(['model']);
  });
});
