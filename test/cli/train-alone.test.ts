/** What `aisle train` does without being asked: the preset by the log, counting models beside it, the training on everything. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { aisle, file, folder } from './program';
import { RING_LOG, ringFolder, SMALL } from './ring-log';

const LINES = RING_LOG.trimEnd().split('\n');
const HEADER = LINES[0]!;
/** The log's sessions in the order of time, each with its lines. */
const SESSIONS = [...new Set(LINES.slice(1).map((line) => line.split(',')[0]))].map((id) =>
  LINES.filter((line) => line.startsWith(`${id},`)),
);
const csv = (sessions: readonly (readonly string[])[]): string => `${[HEADER, ...sessions.flat()].join('\n')}\n`;

let data: string;
let place: string;
beforeEach(async () => {
  ({ data, place } = await ringFolder());
});

const at = (name: string) => join(place, name);
const weights = (name: string) => readFile(join(at(name), 'weights.safetensors'));
const manifest = (name: string) => JSON.parse(readFileSync(join(at(name), 'manifest.json'), 'utf8'));
const train = (out: string, ...argv: string[]) =>
  aisle('train', '--data', data, '--out', at(out), '--model', 'gru4rec', ...argv);
async function trained(out: string, ...argv: string[]) {
  const { code, stdout, stderr } = await train(out, ...SMALL['gru4rec']!, ...argv, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return { ...JSON.parse(stdout), stderr };
}

describe('the preset', () => {
  test('is that of the log by default, under what --set says; with --preset none the defaults are', async () => {
    const small = ['--set', 'layers=6', '--set', 'batchSize=8', '--epochs', '1'];
    const { code, stderr } = await train('auto', ...small);
    expect(code).toBe(0);
    expect(stderr.match(/^--preset auto, gru4rec: .*, so the preset yoochoose-100k; .*$/gm)).toHaveLength(1);
    expect(manifest('auto').config).toMatchObject({ layers: [6], loss: 'bpr-max', momentum: 0.4 });
    expect((await train('none', '--preset', 'none', ...small, '--set', 'nSample=8')).stderr).not.toContain('preset');
    expect(manifest('none').config).toMatchObject({ layers: [6], loss: 'cross-entropy', momentum: 0 });
    // Counting models have their own defaults, and --from has those of its artifact.
    expect((await aisle('train', '--data', data, '--model', 'pop', '--out', at('pop'))).stderr).toBe('');
    const next = await train('next', '--from', at('none'), '--epochs', '1');
    expect({ code: next.code, stderr: next.stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringContaining('preset'),
    });
    expect(manifest('next').config).toEqual(manifest('none').config);
  });
});

describe('a training with a validation part', () => {
  const best = (result: { best: { epoch: number } }) => `${result.best.epoch}`;

  test('trains again on everything, as a training of all of the log for so many epochs does', async () => {
    const result = await trained('model', '--valid', 'last:10%');
    expect(result.stderr).toContain('Training again on everything, 60 sessions of 12 items, for');
    expect(result.stderr).toMatch(/^refit epoch 1 {2}loss \d\.\d{4} {2}\d+ s$/m);
    await trained('whole', '--epochs', best(result));
    expect((await weights('model')).equals(await weights('whole'))).toBe(true);
    const { training, modelCard, scale } = manifest('model');
    expect(training).toMatchObject({ data: { sessions: 60 }, refit: result.refit, baseline: result.baseline });
    expect(scale).toBe(result.scale);
    expect(modelCard).toContain('These figures are of a first training, without the validation sessions.');
    expect(modelCard).toContain(`| metric | value | counting (${result.baseline.model} --set remind=false) |`); // nothing repeats
    const once = await trained('once', '--valid', 'last:10%', '--refit', 'no');
    expect(once).toMatchObject({ refit: false, best: result.best, scale: result.scale, baseline: result.baseline });
    expect((await weights('once')).equals(await weights('model'))).toBe(false);
    expect(manifest('once').modelCard).not.toContain('first training');
  });

  test('learns once the sessions of a --valid file that are in the log, too, and warns of them', async () => {
    const late = 'late,"p""1",9000000000\nlate,"p""2",9000000001\n';
    const valid = await file('late.csv', csv(SESSIONS.slice(-6)) + late);
    const { stderr, refit, sessions, events } = await trained('model', '--valid', valid);
    expect(stderr).toContain(`6 of the 7 sessions of ${valid} are in ${data}, too: the figures on them are too good.`);
    expect(refit.events).toBe(events + 2);
    expect(manifest('model').training.data.sessions).toBe(sessions + 1);
  });

  test('draws from a --valid file, too, with --sample-sessions', async () => {
    const valid = await file('late.csv', csv(SESSIONS.slice(-10)));
    data = await file('early.csv', csv(SESSIONS.slice(0, 50)));
    const { sessions } = await trained('model', '--valid', valid, '--sample-sessions', '0.5');
    expect({ sessions, all: manifest('model').training.data.sessions }).toEqual({ sessions: 25, all: 30 });
  });

  test('learns by it the products that only the validation part has', async () => {
    data = await file('events.csv', RING_LOG.replaceAll(/^s5([5-9]),"p""7"/gm, 's5$1,new'));
    const { items, refit } = await trained('model', '--valid', 'last:10%');
    expect({ items, refit: refit.items }).toEqual({ items: 12, refit: 13 });
    expect((await readArtifactFolder(at('model'))).itemIds).toContain('new');
    expect((await aisle('recommend', '--artifact', at('model'), '--item', 'new')).code).toBe(0);
  });

  test('of a file, learns from both files', async () => {
    const all = data;
    data = await file('early.csv', csv(SESSIONS.slice(0, 50)));
    const valid = await file('late.csv', csv(SESSIONS.slice(50)));
    const result = await trained('model', '--valid', valid);
    expect(result).toMatchObject({ sessions: 50, refit: { events: LINES.length - 1 } });
    data = all;
    await trained('whole', '--epochs', best(result));
    expect((await weights('model')).equals(await weights('whole'))).toBe(true);
    const strategies = (name: string) => readFile(join(at(name), 'strategies.json'), 'utf8');
    expect(await strategies('model')).toBe(await strategies('whole'));
  });

  test('of held-out events, learns from the first of them, too', async () => {
    const result = await trained('model', '--holdout', '2', '--valid', 'held-out');
    expect(result.refit.events).toBe(result.events + 60);
    await trained('whole', '--holdout', '1', '--epochs', best(result));
    expect((await weights('model')).equals(await weights('whole'))).toBe(true);
  });

  test('of a model that is continued, goes on twice from its weights', async () => {
    await trained('first', '--epochs', '1');
    const from = ['--from', at('first'), '--epochs', '2'];
    const { code, stdout } = await train('model', ...from, '--valid', 'last:10%', '--json');
    expect(code).toBe(0);
    await train('whole', '--from', at('first'), '--epochs', best(JSON.parse(stdout)));
    expect((await weights('model')).equals(await weights('whole'))).toBe(true);
  });

  test.each([
    [['--refit', 'yes', '--epochs', '1'], 'and there is none: add --valid last:10%, or drop --epochs.'],
    [['--refit', 'yes', '--valid', 'none'], 'and there is none: make --valid last:10%.'],
    [['--refit', 'maybe'], 'Expected yes or no'],
  ])('is asked for %j in vain', async (argv, message) => {
    const { code, stderr } = await train('model', ...argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });

  test('says in one line how counting does, and last that the report is not to be published', async () => {
    const { code, stdout } = await train('model', ...SMALL['gru4rec']!, '--valid', 'last:10%');
    expect(code).toBe(0);
    expect(
      stdout.match(/^gru4rec \S+, counting \(\S+ --set remind=false\) \S+ on the same predictions \(MRR@20, .*\.$/gm),
    ).toHaveLength(1);
    expect(stdout).toMatch(/^Trained again on everything, 258 events of 12 items, in \d+ s: these are the weights\.$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `${join(at('model'), 'report.html')} says how good it is, and shows sessions of your log: do not publish it with the folder.`,
    );
  });
});

describe('report.html', () => {
  const report = (name = 'model') => readFileSync(join(at(name), 'report.html'), 'utf8');

  test('has curves, counting models, groups, and sessions by title, and no script, session id or foreign markup', async () => {
    const title = '<script>alert("1")</script> & co';
    const catalogue = await file(
      'shop.json',
      JSON.stringify(
        LINES.slice(1)
          .map((line) => line.split(',')[1]!)
          .filter((id, i, all) => all.indexOf(id) === i)
          .map((id) => ({ id: JSON.parse(id.replaceAll('""', '\\"')), title: `${title} ${id}` })),
      ),
    );
    await trained('model', '--valid', 'last:20%', '--catalogue', catalogue);
    const html = report();
    expect(html).toContain('<strong>Do not publish this page.</strong>');
    for (const text of ['Loss', 'Validation MRR@20', 'Validation Recall@20', 's-pop', 'By clicks seen', 'unseen'])
      expect(html).toContain(text);
    expect(html.match(/<ol>/g)).toHaveLength(10);
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co');
    expect(html).not.toMatch(/<script|<link|<img|https?:/);
    expect(html).not.toMatch(/\bs\d+\b/);
    expect(Object.keys(manifest('model').files)).not.toEqual(expect.arrayContaining(['report.html']));
    expect(Object.keys(manifest('model').files)).not.toEqual(expect.arrayContaining(['README.md']));
    const { modelCard } = manifest('model');
    expect(readFileSync(join(at('model'), 'README.md'), 'utf8')).toBe(modelCard);
    expect(modelCard).toContain('report.html is beside it, it shows sessions of the log: leave it out');
    expect((await aisle('inspect', at('model'))).stdout.endsWith(`\nModel card\n\n${modelCard.trimEnd()}\n`)).toBe(
      true,
    );
  });

  test('shows no session where nothing validates, and goes where the next artifact has none', async () => {
    await trained('model');
    expect(report()).toContain('Without a validation part nothing else was measured.');
    expect(report()).not.toContain('Do not publish');
    expect(manifest('model').modelCard).not.toContain('report.html');
    await aisle('train', '--data', data, '--model', 'pop', '--out', at('model'));
    expect(existsSync(join(at('model'), 'report.html'))).toBe(false);
    expect(readFileSync(join(at('model'), 'README.md'), 'utf8')).toMatch(/^# model /);
  });
});

describe('few sessions', () => {
  test.each([
    [19, true],
    [20, false],
  ])('%i: a warning is given: %s', async (count, isWarned) => {
    data = await file('few.csv', csv(SESSIONS.slice(0, count)));
    for (const model of ['gru4rec', 'markov']) {
      const { code, stderr } = await aisle(
        'train',
        '--data',
        data,
        '--model',
        model,
        ...SMALL[model]!,
        '--out',
        at('model'),
      );
      expect(code).toBe(0);
      expect(/^Warning: .*few\.csv has 19 sessions to learn from: .*$/m.test(stderr)).toBe(isWarned);
    }
  });
});

describe('--sample-sessions', () => {
  test('learns from a share of the sessions, which the seed draws and the preset is of', async () => {
    const sample = async (out: string, ...argv: string[]) => {
      const { code, stdout, stderr } = await train(out, '--set', 'layers=6', '--epochs', '1', ...argv, '--json');
      expect(code).toBe(0);
      return { ...JSON.parse(stdout), stderr, weights: (await weights(out)).toString('hex') };
    };
    const first = await sample('a', '--sample-sessions', '.5');
    expect(first).toMatchObject({ sessions: 30, auto: { why: expect.stringMatching(/ events in 30 sessions /) } });
    expect(first.stderr).toContain('--sample-sessions 0.5: 30 sessions, drawn by --seed 1.');
    expect((await sample('b', '--sample-sessions', '0.5')).weights).toBe(first.weights);
    expect((await sample('c', '--sample-sessions', '0.5', '--seed', '2')).events).not.toBe(first.events);
    expect((await sample('d', '--sample-sessions', '1')).sessions).toBe(60);
    expect(manifest('a').training.command).toContain('--sample-sessions 0.5');
  });

  test.each(['0', '-1', '1.5', 'x'])('is refused where it is %s', async (share) => {
    const { code, stderr } = await train('model', '--sample-sessions', share);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('Expected a share above 0, at most 1'),
    });
  });
});

describe('--log', () => {
  const lines = async (path: string) =>
    (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('has a line an epoch, as JSON has them, those of the training on everything marked', async () => {
    const log = at('epochs.jsonl');
    await writeFile(log, '{"epoch":1,"loss":9}\n');
    const { epochs, refit } = await trained('model', '--valid', 'last:10%', '--log', log);
    const written = await lines(log);
    expect(written.slice(0, epochs.length)).toEqual(epochs);
    const again = written.slice(epochs.length);
    expect(again).toHaveLength(refit.epochs);
    expect(again).toEqual(
      again.map((_, i) => ({ epoch: i + 1, loss: expect.any(Number), seconds: expect.any(Number), refit: true })),
    );
  });

  test.each<[string, () => Promise<string>, string]>([
    [
      'a file of something else',
      () => file('mine.csv', RING_LOG),
      'holds something else than the epochs of a training',
    ],
    ['a folder', folder, 'cannot be written (EISDIR); name a file'],
    ['a device', async () => '/dev/null', '/dev/null: this is a pipe or a device; name a file to write.'],
    ['a file in the artifact', async () => join(at('model'), 'log.jsonl'), 'which is replaced; name a file elsewhere'],
    [
      'a file in another artifact',
      async () => {
        const other = await folder();
        for (const name of ['manifest.json', 'items.json']) writeFileSync(join(other, name), '{}');
        return join(other, 'log.jsonl');
      },
      'is inside of the model',
    ],
  ])('is refused for %s, before any work', async (_, path, message) => {
    const log = await path();
    const before = existsSync(log) && log.endsWith('csv') ? readFileSync(log, 'utf8') : undefined;
    const { code, stderr } = await train('model', '--data', 'no such file', '--log', log);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    if (before !== undefined) expect(readFileSync(log, 'utf8')).toBe(before);
  });

  test('is for networks', async () => {
    const { code, stderr } = await aisle(
      'train',
      '--data',
      data,
      '--model',
      'pop',
      '--out',
      at('model'),
      '--log',
      at('l'),
    );
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--log is for networks') });
  });
});
