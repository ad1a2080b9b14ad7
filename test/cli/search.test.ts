import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/main';
import { configure } from '../../src/models/configuration';
import { presets } from '../../src/models/presets';
import { drawTrials, withRanges } from '../../src/models/search-space';
import { baselines } from '../../src/neighbours/index';
import { architectures } from '../../src/pipeline/architectures';
import { best, type Rung, rungsOf } from '../../src/pipeline/search/halving';
import type { Tried } from '../../src/pipeline/search/report';
import { halve } from '../../src/pipeline/search/search';
import { subjectOf } from '../../src/pipeline/search/space';
import { CHECKPOINT } from '../../src/pipeline/training-checkpoint';
import { isSoak } from '../soak-slice';
import { aisle, aisleUntil, file, folder } from './program';
import { RING_LOG, SMALL } from './ring-log';

let data: string;
let out: string;
beforeEach(async () => {
  data = await file('events.csv', RING_LOG);
  out = join(await folder(), 'found');
});

const search = (...argv: string[]) => aisle('search', '--data', data, '--out', out, '--valid', 'last:20%', ...argv);
const found = () => JSON.parse(readFileSync(join(out, 'search.json'), 'utf8'));
const bestConfig = () => JSON.parse(readFileSync(join(out, 'best.json'), 'utf8'));
const trials = () => readdirSync(join(out, 'trials')).sort();
/** Keys that make a network tiny, without the flags of its epochs. */
const small = (model: string) => SMALL[model]!.slice(0, -2);
const GRU = ['--model', 'gru4rec', '--set', 'layers=8', '--set', 'batchSize=8', '--set', 'nSample=8'];

/** All that does not tell the time. */
const timeless = (report: ReturnType<typeof found>) =>
  JSON.parse(JSON.stringify(report, (key, value) => (key === 'seconds' ? undefined : value)));

describe('aisle search', () => {
  test('starts from the preset that suits the log', async () => {
    const { code, stderr } = await search(...GRU, '--preset', 'auto', '--trials', '1', '--epochs', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^--preset auto, gru4rec: 12 items/) });
    expect(found()).toMatchObject({ auto: { preset: expect.any(String) }, base: { layers: [8], momentum: 0.4 } });
  });

  test.each([
    ['gru4rec', GRU],
    ['markov', ['--model', 'markov']],
  ])('tries %s on the event that leave-one-out keeps for it', async (name, model) => {
    const argv = ['--valid', 'held-out', '--holdout', '2', '--trials', '1'];
    const { code, stdout, stderr } = await search(...model, ...argv);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('Validation on 60 sessions (held-out)'),
    });
    expect(found().command).toContain('--holdout 2');
    // Nor does the training that it tells learn what is kept for the test.
    const told = stdout.trim().split('\n').at(-1)!;
    expect(told).toMatch(/^ {2}aisle train .*--holdout 2$/);
    expect(told.includes('--valid held-out')).toBe(name === 'gru4rec');
  });

  test('tells to learn the file that it validated on, too', async () => {
    const [header, ...rows] = RING_LOG.trim().split('\n');
    const isLate = (row: string) => /^s\d*[05],/.test(row);
    const early = await file('early.csv', [header, ...rows.filter((row) => !isLate(row))].join('\n'));
    const late = await file('late.csv', [header, ...rows.filter(isLate)].join('\n'));
    const argv = ['--data', early, '--valid', late, '--out', out, '--trials', '1', '--epochs', '1'];
    const { stdout } = await aisle('search', ...GRU, ...argv);
    const [, ...told] = stdout.trim().split('\n').at(-1)!.trim().split(' ');
    const { code, stdout: trained } = await aisle(...told.with(told.indexOf('my-model'), `${out}-model`), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(trained)).toMatchObject({ epochs: [{ epoch: 1 }], refit: { events: rows.length } });
  });

  test('tries a network by successive halving and keeps the best as a file that train takes', async () => {
    const { code, stdout, stderr } = await search(...GRU, '--trials', '4', '--epochs', '3', '--seed', '5');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    const report = found();
    expect(report.rungs).toEqual([
      { epochs: 1, trials: 4 },
      { epochs: 3, trials: 2 },
    ]);
    expect(report.trials.map(({ rung }: { rung: number }) => rung).sort()).toEqual([1, 1, 2, 2]);
    expect(report.trials[0].config).toEqual({});
    const values = report.trials.map(({ value }: { value: number }) => value);
    expect(report.best.value).toBe(Math.max(...values));
    for (const { rung, epochs } of report.trials) expect(epochs).toHaveLength(rung === 1 ? 1 : 3);
    // Whoever was left behind was no better after one epoch than those who went on.
    const first = (of: number) =>
      report.trials
        .filter(({ rung }: { rung: number }) => rung === of)
        .map(({ epochs }: { epochs: { valid: Record<string, number> }[] }) => epochs[0]!.valid['mrr@20']!);
    expect(Math.max(...first(1))).toBeLessThanOrEqual(Math.min(...first(2)));
    // One line a trial and rung.
    expect(stderr.match(/^\[rung 1 of 2, \d\/4\] trial \d: mrr@20 \d\.\d{4}, /gm)).toHaveLength(4);
    expect(stderr.match(/^\[rung 2 of 2, \d\/2\] trial \d: mrr@20 \d\.\d{4} in epoch \d, /gm)).toHaveLength(2);
    expect(stdout).toContain(`Best: trial ${report.best.trial}, mrr@20 ${report.best.value.toFixed(4)}`);
    expect(bestConfig()).toEqual({ ...report.best.config, nEpochs: 3 });
    expect(report.best.config).toMatchObject({ layers: [8], batchSize: 8, nSample: 8 });
    // No state of a training is left where none will go on.
    for (const trial of trials()) expect(existsSync(join(out, 'trials', trial, CHECKPOINT))).toBe(false);

    const model = join(await folder(), 'model');
    const trained = await aisle(
      ...[
        'train',
        '--data',
        data,
        '--model',
        'gru4rec',
        '--out',
        model,
        '--preset',
        'none',
        '--config',
        join(out, 'best.json'),
      ],
      ...['--seed', '5', '--valid', 'last:20%', '--json'],
    );
    expect(trained.code).toBe(0);
    // The same data, seed and settings: training it again gives what the search saw.
    const { best: again } = JSON.parse(trained.stdout);
    expect(again).toEqual({ epoch: report.best.epoch, metric: 'mrr@20', value: report.best.value });
  });

  test.each(Object.keys(architectures).filter((name) => name in SMALL))('trains trials of %s', async (model) => {
    const { code, stderr } = await search('--model', model, ...small(model), '--trials', '2', '--epochs', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    expect(found().trials).toHaveLength(2);
    const epochs = Object.entries(bestConfig()).filter(([key]) => /^(epoch|nEpochs|numEpochs|nIter)$/.test(key));
    expect(epochs).toEqual([[expect.any(String), 1]]);
  });

  test.each(Object.keys(baselines))('counts trials of %s, each once', async (model) => {
    const { code, stderr } = await search('--model', model, '--trials', '3');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    const report = found();
    expect(report.rungs).toEqual([{ epochs: 1, trials: 3 }]);
    expect(report.trials.map(({ rung }: { rung: number }) => rung)).toEqual([1, 1, 1]);
    const model2 = join(await folder(), 'model');
    const argv = ['train', '--data', data, '--model', model, '--out', model2, '--config', join(out, 'best.json')];
    expect((await aisle(...argv)).code).toBe(0);
  });

  test('finds the same again from the same seed, other trials from another, and the first ones whatever their number', async () => {
    const configs = async (...argv: string[]) => {
      rmSync(out, { recursive: true, force: true });
      expect((await search('--model', 'v-sknn', ...argv)).code).toBe(0);
      return timeless(found());
    };
    const first = await configs('--trials', '4', '--seed', '7');
    expect(await configs('--trials', '4', '--seed', '7')).toEqual(first);
    expect((await configs('--trials', '4', '--seed', '8')).trials).not.toEqual(first.trials);
    expect((await configs('--trials', '6', '--seed', '7')).trials.slice(0, 4)).toEqual(first.trials);
  });

  test('a key that is fixed moves no other, and a range takes the place of the declared one', async () => {
    const drawn = async (...argv: string[]) => {
      rmSync(out, { recursive: true, force: true });
      expect((await search('--model', 'v-sknn', '--trials', '4', ...argv)).code).toBe(0);
      return found().trials.map(({ config }: { config: object }) => config);
    };
    const free = await drawn();
    const fixed = await drawn('--set', 'k=7');
    expect(fixed).toEqual(free.map(({ k: _, ...rest }: { k?: number }) => rest));
    const ranged = await drawn(
      '--range',
      'k=3..9',
      '--range',
      'lastNClicks=0,2',
      '--range',
      'idfWeighting=0.1..10:log',
    );
    for (const { k, lastNClicks, idfWeighting } of ranged.slice(1)) {
      expect([3, 4, 5, 6, 7, 8, 9]).toContain(k);
      expect([0, 2]).toContain(lastNClicks);
      expect(idfWeighting).toBeGreaterThanOrEqual(0.1);
      expect(idfWeighting).toBeLessThanOrEqual(10);
    }
  });

  test.each(['best.json', 'manifest.json'])('leaves a folder alone whose %s is of something else', async (name) => {
    out = await folder();
    writeFileSync(join(out, name), 'mine');
    const { code, stderr } = await search('--model', 'v-sknn', '--trials', '1');
    const message = `${out} holds ${name}, which no search wrote, and is left alone;`;
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    expect(readFileSync(join(out, name), 'utf8')).toBe('mine');
  });

  test('refuses a range of epochs, which rungs fix', async () => {
    const { code, stderr } = await search(...GRU, '--range', 'nEpochs=2,4');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/--range nEpochs: .* Use --epochs/) });
  });

  test('names the preset where a setting contradicts what it fixes', async () => {
    const argv = ['--model', 'gru4rec', '--preset', 'diginetica', '--set', 'logq=1', '--trials', '1'];
    const { code, stderr } = await search(...argv);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('The preset diginetica has loss=bpr-max: set loss too, or take --preset none.'),
    });
  });

  test('starts from a preset', async () => {
    const argv = ['--model', 'gru4rec', '--preset', 'rsc15', '--set', 'layers=8', '--set', 'nSample=8'];
    expect((await search(...argv, '--trials', '1', '--epochs', '1')).code).toBe(0);
    expect(bestConfig()).toMatchObject({ loss: 'cross-entropy', momentum: 0.2, layers: [8], nSample: 8, nEpochs: 1 });
  });

  test('trains as many epochs as the preset, or the settings, have', async () => {
    const tiny = ['--set', 'layers=8', '--set', 'nSample=8', '--set', 'batchSize=8', '--trials', '1'];
    for (const [more, epochs] of [
      [['--preset', 'diginetica'], 10],
      [['--preset', 'diginetica', '--set', 'n_epochs=2'], 2],
      [[], 9],
    ] as const) {
      rmSync(out, { recursive: true, force: true });
      expect((await search('--model', 'gru4rec', ...tiny, ...more)).code).toBe(0);
      expect(bestConfig()).toMatchObject({ nEpochs: epochs });
      expect(found().rungs.at(-1)).toMatchObject({ epochs });
    }
  });

  test('decides by another metric', async () => {
    expect((await search('--model', 'v-sknn', '--trials', '3', '--metric', 'recall@1')).code).toBe(0);
    const { metric, trials, best: top } = found();
    expect(metric).toBe('recall@1');
    for (const { value, epochs } of trials) expect(value).toBe(epochs[0].valid['recall@1']);
    expect(top.value).toBe(Math.max(...trials.map(({ value }: { value: number }) => value)));
  });

  test('says that a network found by another metric chooses its epoch by mrr@20', async () => {
    const sentence = /It chooses its epoch by mrr@20, which may be another than epoch \d, the best in recall@1\./;
    const tiny = ['--model', 'gru4rec', '--preset', 'none', '--set', 'layers=4', '--trials', '2', '--epochs', '2'];
    expect((await search(...tiny, '--metric', 'recall@1')).stdout).toMatch(sentence);
    expect((await search(...tiny)).stdout).not.toMatch(/chooses its epoch/);
  });

  test('prints search.json with --json, and nothing else there', async () => {
    const { stdout } = await search('--model', 'markov', '--trials', '2', '--json');
    expect(JSON.parse(stdout)).toEqual(found());
  });
});

describe('a search that was interrupted', () => {
  const argv = () => [
    'search',
    '--data',
    data,
    '--out',
    out,
    '--valid',
    'last:20%',
    ...GRU,
    '--trials',
    '4',
    '--epochs',
    '3',
  ];
  /** Ctrl-C as a line comes that matches; lines so far, and the exit code. */
  const until = async (line: RegExp, ...more: string[]) => {
    const abort = new AbortController();
    let said = '';
    const stderr = {
      write(text: string) {
        said += text;
        if (line.test(text)) abort.abort();
      },
    };
    const code = await run([...argv(), ...more], { stdout: { write() {} }, stderr, signal: abort.signal });
    return { code, stderr: said };
  };

  test.each([
    ['between two trials', /trial 2: /, 2],
    ['in the second rung', /^\[rung 2 of 2, 1/, 5],
  ])('%s goes on to the same end, and repeats nothing', async (_, line, before) => {
    const whole = await aisle(...argv());
    expect(whole.code).toBe(0);
    const expected = timeless(found());
    rmSync(out, { recursive: true });

    const stopped = await until(line);
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('holds everything: the same command goes on from there.');
    expect(found().isFinished).toBe(false);
    const resumed = await aisle(...argv());
    expect(resumed.code).toBe(0);
    expect(resumed.stderr.match(/was there already/g)).toHaveLength(before);
    expect(timeless(found())).toEqual(expected);
  });

  test('by a kill in the middle of a trial goes on from its last epoch', async () => {
    // What a killed process leaves: the checkpoint of an epoch, and no record of the trial.
    await until(/^\[rung 2 of 2, 1/);
    const finished = trials().find((name) => {
      const record = join(out, 'trials', name, 'trial.json');
      return existsSync(record) && JSON.parse(readFileSync(record, 'utf8')).isFinished;
    })!;
    const open = trials().find((name) => existsSync(join(out, 'trials', name, CHECKPOINT)))!;
    expect(open).not.toBe(finished);
    rmSync(join(out, 'trials', open, 'trial.json'));
    writeFileSync(join(out, 'trials', open, '.trial.json.new-123456'), '{"epo');
    const resumed = await aisle(...argv());
    expect(resumed.code).toBe(0);
    // Its first epoch was in the checkpoint: all four trials of the first rung are there.
    expect(resumed.stderr.match(/^\[rung 1 of 2, .* was there already/gm)).toHaveLength(3);
    const resumedReport = timeless(found());
    rmSync(out, { recursive: true });
    await aisle(...argv());
    expect(timeless(found())).toEqual(resumedReport);
  });

  test('takes no trial for its own that was trained on something else, or damaged', async () => {
    const small = ['--model', 'markov', '--trials', '3'];
    await search(...small);
    const folders = trials();
    const damaged = join(out, 'trials', folders[1]!, 'trial.json');
    const text = readFileSync(damaged, 'utf8');
    writeFileSync(damaged, text.replace(/"mrr@20": [\d.e-]+/, '"mrr@20": 7'));
    const again = await search(...small);
    expect(again.stderr.match(/was there already/g)).toHaveLength(2);
    expect(Math.max(...found().trials.map(({ value }: { value: number }) => value))).toBeLessThanOrEqual(1);
    const other = await search(...small, '--valid', 'last:30%');
    expect(other.stderr).not.toContain('was there already');
    expect(trials()).toHaveLength(6);
  });

  test('adds to what is there when more trials are asked for', async () => {
    await search('--model', 'sr', '--trials', '2');
    const { stderr } = await search('--model', 'sr', '--trials', '4');
    expect(stderr.match(/was there already/g)).toHaveLength(2);
    expect(found().trials).toHaveLength(4);
  });

  test('with more trials than before leaves what came out of fewer, which is of all their epochs', async () => {
    expect((await aisle(...argv())).code).toBe(0);
    const before = [found(), bestConfig()];
    const { code, stderr } = await until(/trial 6: /, '--trials', '9');
    expect(code).toBe(130);
    expect(stderr).toContain('search.json and best.json are those of the search that ended before.');
    expect([found(), bestConfig()]).toEqual(before);
    expect((await aisle(...argv(), '--trials', '9')).code).toBe(0);
    expect(found().trials).toHaveLength(9);
  });

  test('before anything was tried ends with 130', async () => {
    const abort = new AbortController();
    abort.abort();
    const { code } = await aisleUntil(abort.signal, ...argv());
    expect(code).toBe(130);
    expect(existsSync(out)).toBe(false);
  });
});

describe('a trial that fails', () => {
  const result = ({ failure, value }: { failure?: string; value?: number }) =>
    failure ?? (value !== undefined && 'fine');

  test('is named with its reason and never goes on, while the others do', async () => {
    // Without ε a normalised row of equal numbers, such as padding, is 0/0.
    const wild = ['--model', 'sasrec', ...small('sasrec'), '--range', 'layerNormEps=0,0.00001', '--trials', '6'];
    const argv = [...wild, '--epochs', '3'];
    const { code, stderr, stdout } = await search(...argv);
    const said =
      /^\[rung 1 of 2, .* trial \d: no result\. The loss became NaN at step \d+ \(epoch 1\), learning rate \d/m;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(said) });
    const results: unknown[] = found().trials.map(result);
    const failures = results.filter((text) => text !== 'fine').length;
    expect(failures).toBe(found().trials.filter(({ config }: never) => config['layerNormEps'] === 0).length);
    expect(failures).toBeGreaterThan(0);
    expect(stdout).toContain(`${failures} of 6 trials gave no result`);
    for (const { failure, rung } of found().trials) if (failure) expect(rung).toBe(1);
    // A failure is a result: it is not tried again.
    const again = await search(...argv);
    expect(again.stderr.match(/was there already|no result/g)).toHaveLength(6 + 2);
    expect(found().trials.map(result)).toEqual(results);
  });

  test('may lack what its configuration needs: also that is said of it alone', async () => {
    const ranges = ['--range', 'hiddenUnits=8', '--range', 'numHeads=2,3', '--range', 'numBlocks=1,2'];
    const rest = ['--set', 'maxlen=6', '--set', 'batchSize=8'];
    const { code } = await search('--model', 'sasrec', ...rest, ...ranges, '--trials', '6', '--epochs', '1');
    expect(code).toBe(0);
    for (const { config, failure } of found().trials.slice(1)) {
      expect(failure === undefined).toBe(config.numHeads === 2);
    }
  });

  test('may need more memory than there is: the next ones compute in what it gave back', async () => {
    // One head's scores of all pairs of clicks in 60 sessions: 4 · 60 · 4,096² bytes, of two 8 GB.
    const large = ['--model', 'sasrec', '--set', 'hiddenUnits=2', '--set', 'numHeads=2', '--set', 'numBlocks=1'];
    const wide = ['--set', 'norm=post', '--set', 'positions=end', '--set', 'batchSize=64'];
    const rest = [...wide, '--range', 'maxlen=4,4096', '--trials', '4', '--epochs', '1', '--seed', '2'];
    const { code, stderr } = await search(...large, ...rest);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /no result\. The backend "wasm" failed: WebAssembly has no room for \d+ bytes more/,
      ),
    });
    for (const { config, failure } of found().trials.slice(1)) expect(failure === undefined).toBe(config.maxlen === 4);
    expect(found().trials.at(-1).value).toBeGreaterThan(0);
    const results: unknown[] = found().trials.map(result);
    const fine = results.filter((text) => text === 'fine').length;
    expect(fine).toBeLessThan(results.length);
    // There may be more another time: what failed is tried again, and nothing else.
    const again = await search(...large, ...rest);
    expect(again.stderr.match(/was there already/g)).toHaveLength(fine);
    expect(again.stderr.match(/no result/g)).toHaveLength(results.length - fine);
  });

  test('ends the search where all do, with what the first one said', async () => {
    const lonely = ['--set', 'batchSize=400', '--set', 'nSample=0', '--set', 'layers=8', '--range', 'momentum=0,0.1'];
    const one = await file(
      'one.csv',
      RING_LOG.split('\n')
        .filter((line) => /^(session|s0,)/.test(line))
        .join('\n'),
    );
    const argv = ['search', '--data', one, '--valid', data, '--out', out, '--model', 'gru4rec', '--trials', '2'];
    const { code, stderr } = await aisle(...argv, ...lonely, '--epochs', '1');
    expect(code).toBe(2);
    expect(stderr).toMatch(/No trial gave a result\. Trial 1 said: Fewer than two sessions run side by side/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a search that cannot be', () => {
  test.each([
    ['of an unknown model', ['--model', 'gru5rec'], /No model is called "gru5rec"/],
    ['without a validation part', ['--model', 'pop', '--valid', 'none'], /A search compares on a validation part/],
    ['by a metric that nobody measures', ['--model', 'pop', '--metric', 'auc'], /Expected recall, mrr or ndcg/],
    ['on a GPU of what counts', ['--model', 'pop', '--backend', 'webgpu'], /--backend is for networks; pop counts/],
    ['over an unknown key', ['--model', 'sr', '--range', 'step=1,2'], /sr has no option "step".* nearest is "steps"/],
    [
      'over values that the key does not take',
      ['--model', 'sr', '--range', 'steps=0,2'],
      /"steps" must be a whole number/,
    ],
    [
      'over a range upside down',
      ['--model', 'sr', '--range', 'steps=9..2'],
      /expected a numeric option and two numbers/,
    ],
    ['over factors from 0', ['--model', 'sr', '--range', 'lastInSession=0..2:log'], /the smaller first and above 0/],
    ['of a key set to nonsense', ['--model', 'sr', '--set', 'steps=many'], /"steps" must be a whole number/],
    ['over epochs of a counting baseline', ['--model', 'sr', '--epochs', '2'], /--epochs is for networks/],
    [
      'over a key that is set',
      ['--model', 'sr', '--set', 'steps=5', '--range', 'steps=2,3'],
      /--range steps does not go with steps=5, which every trial has: pass one of them\./,
    ],
    [
      'with every key fixed',
      ['--model', 'markov', '--set', 'pruning=20', '--set', 'remind=true'],
      /Nothing of markov is left to search/,
    ],
  ])('%s is refused in one sentence, and nothing is written', async (_, argv, message) => {
    const { code, stderr } = await search(...argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(out)).toBe(false);
  });

  test('a space that is smaller than the number of trials is tried whole', async () => {
    const { code, stderr } = await search('--model', 'markov', '--set', 'remind=true', '--trials', '9');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('holds 3 configurations') });
    const tried = found().trials.map(({ config }: { config: { pruning?: number } }) => config.pruning ?? 20);
    expect(tried.sort((a: number, b: number) => a - b)).toEqual([0, 20, 50]);
  });
});

describe.each([...Object.keys(architectures), ...Object.keys(baselines)])('the declared space of %s', (name) => {
  test('gives only configurations that the model takes, and moves every key that it names', () => {
    const { subject, space } = subjectOf(name);
    const drawn = (base: object) => {
      const draws = drawTrials({ model: subject, space, base: { ...base }, fixed: [], seed: 3 }, isSoak ? 200 : 50);
      for (const draw of draws) expect(() => configure(subject, { ...base, ...draw })).not.toThrow();
      return draws;
    };
    for (const [key, { when = {} }] of Object.entries(space)) {
      const others = Object.entries(when).filter(([other]) => !(other in space));
      const draws = drawn(Object.fromEntries(others.map(([other, [value]]) => [other, value])));
      expect(new Set(draws.map((draw) => JSON.stringify(draw[key] ?? null))).size).toBeGreaterThan(1);
    }
  });

  test('is what --help prints', async () => {
    const { code, stdout } = await aisle('search', '--model', name, '--help');
    expect(code).toBe(0);
    for (const key of Object.keys(subjectOf(name).space)) expect(stdout).toMatch(new RegExp(`^  ${key} +\\S`, 'm'));
  });
});

test('a key is drawn only where it means something', () => {
  const { subject, space } = subjectOf('gru4rec');
  const draws = drawTrials({ model: subject, space, base: {}, fixed: [], seed: 1 }, 100).slice(1);
  for (const draw of draws) {
    expect('bpreg' in draw).toBe(draw['loss'] === 'bpr-max');
    expect('logq' in draw).toBe(draw['loss'] === 'cross-entropy');
  }
  const fixed = drawTrials({ model: subject, space, base: { loss: 'bpr-max' }, fixed: ['loss'], seed: 1 }, 20).slice(1);
  for (const draw of fixed) expect([draw['loss'], 'bpreg' in draw, 'logq' in draw]).toEqual([undefined, true, false]);
});

test('a range of a key that others depend on is drawn before them', () => {
  const { subject, space } = subjectOf('sasrec');
  const own = withRanges(subject, space, [['loss', 'ce,sampled,bce']]);
  const draws = drawTrials({ model: subject, space: own, base: {}, fixed: [], seed: 1 }, 60).slice(1);
  expect(new Set(draws.map(({ loss }) => loss))).toEqual(new Set(['ce', 'sampled', 'bce']));
  for (const draw of draws) {
    expect('nSample' in draw).toBe(draw['loss'] === 'sampled');
    expect('labelSmoothing' in draw).toBe(draw['loss'] === 'ce');
  }
});

test('a key of the base goes back to its default where what it is for is drawn away', () => {
  const { subject, space } = subjectOf('sasrec');
  const base = { scoring: 'cosine', temperature: 0.1 };
  const draws = drawTrials({ model: subject, space, base, fixed: [], seed: 1 }, 40).slice(1);
  const dot = draws.filter((draw) => draw['scoring'] === 'dot');
  expect(dot.length).toBeGreaterThan(0);
  for (const draw of dot) {
    expect(configure(subject, { ...base, ...draw })).toMatchObject({ scoring: 'dot', temperature: 0 });
  }
  const fixed = drawTrials({ model: subject, space, base, fixed: ['temperature'], seed: 1 }, 40).slice(1);
  for (const draw of fixed) expect(draw).not.toHaveProperty('temperature');
});

describe('rungs', () => {
  test.each([
    [27, 9, ['1:27', '3:9', '9:3']],
    [9, 9, ['1:9', '3:3', '9:1']],
    [20, 10, ['1:20', '3:7', '10:3']],
    [4, 1, ['1:4']],
    [2, 9, ['9:2']],
    [1, 5, ['5:1']],
  ])('%i trials of %i epochs', (trials, epochs, expected) => {
    expect(rungsOf(trials, epochs).map((rung) => `${rung.epochs}:${rung.trials}`)).toEqual(expected);
  });

  test('the best of a rung: failures never, equal ones in their order', () => {
    const values = [0.2, undefined, 0.3, 0.2, 0.1];
    expect(best([0, 1, 2, 3, 4], 3, (trial) => values[trial])).toEqual([2, 0, 3]);
    expect(best([0, 1, 2], 5, (trial) => values[trial])).toEqual([2, 0]);
  });

  test('the next best goes on where a trial that was promoted fails, at every rung', async () => {
    const rungs: Rung[] = [
      { epochs: 1, trials: 6 },
      { epochs: 2, trials: 2 },
      { epochs: 3, trials: 1 },
    ];
    /** Epochs before each fails. */
    const ends = [9, 1, 9, 2, 2, 9];
    const tried: Tried[] = [0.1, 0.6, 0.2, 0.5, 0.4, 0.3].map((value, i) => {
      const epochs = [1, 2, 3].map((epoch) => ({ epoch, seconds: 0, valid: { 'mrr@20': value } }));
      return { number: i + 1, draw: {}, record: { epochs, isFinished: false }, rung: 0 };
    });
    const places: string[] = [];
    const runner = {
      async advance({ number, record }: Pick<Tried, 'number'> & Partial<Tried>, epochs: number) {
        const failure = epochs > ends[number - 1]! ? { failure: 'The loss became NaN.' } : {};
        return { record: { ...record!, ...failure }, isNew: true };
      },
      release: async () => {},
    };
    await halve(runner, tried, rungs, 'mrr@20', {
      onTrial: ({ trial, rung: [rung], place: [place, of] }) => places.push(`${rung}: ${trial} ${place}/${of}`),
    });
    expect(places.slice(6)).toEqual(['2: 2 1/2', '2: 4 2/3', '2: 5 3/3', '3: 4 1/1', '3: 5 2/2', '3: 6 3/3']);
    expect(tried.map(({ rung }) => rung)).toEqual([1, 2, 1, 3, 3, 3]);
  });
});

test.each(Object.entries(presets))(
  'the declared space of %s gives as many configurations as are asked for from every preset, none of them twice in effect',
  (name, ofModel) => {
    const { subject, space } = subjectOf(name);
    for (const [preset, { config }] of Object.entries(ofModel)) {
      const draws = drawTrials({ model: subject, space, base: config, fixed: [], seed: 3 }, 30);
      expect(draws, preset).toHaveLength(30);
      for (const draw of draws) expect(() => configure(subject, { ...config, ...draw }), preset).not.toThrow();
      const unread = config['batching'] === 'same-length' ? 'batchSize' : 'batchClicks';
      if ('batching' in subject.options) for (const draw of draws) expect(draw, preset).not.toHaveProperty(unread);
    }
  },
);
