import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { run } from '../../src/cli/main';
import { compare as compareModels } from '../../src/pipeline/compare/compare';
import { pairedDifference } from '../../src/pipeline/compare/statistics';
import { scatterPlot } from '../../src/pipeline/plots';
import { aisle, file, folder } from './program';
import { RING_LOG } from './ring-log';

let data: string;
let out: string;
beforeEach(async () => {
  data = await file('events.csv', RING_LOG);
  out = join(await folder(), 'report');
});
afterEach(() => vi.unstubAllEnvs());

const compare = (...argv: string[]) => aisle('compare', '--data', data, '--out', out, ...argv);
const variants = (list: unknown) => file('variants.json', JSON.stringify(list));
const small = { name: 'small net', model: 'gru4rec', config: { layers: [8], batchSize: 8, nSample: 8, nEpochs: 3 } };
const report = () => JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
const cells = () => readdirSync(join(out, 'cells')).sort();

describe('aisle compare', () => {
  test('tests on all that the model knows of a file of its own, and tells of sessions that were learnt from', async () => {
    const rare = `${RING_LOG}r,"p""1",9000000000\nr,once,9000000001\nr,"p""2",9000000002\n`;
    const test = await file('test.csv', 'session_id,item_id,timestamp\nt,"p""3",1\nt,"p""4",2\nt,"p""5",3\n');
    data = await file('rare.csv', rare);
    const some = await compare('--models', 'markov', '--min-support', '3', '--test', test);
    expect(some).toMatchObject({ code: 0, stderr: expect.not.stringContaining('too good') });
    expect(report().rows[0]).toMatchObject({ predictions: 2, dropped: { events: 0 } });
    out = join(await folder(), 'report');
    const own = await compare('--models', 'markov', '--test', data);
    expect(own.stderr).toContain('61 of the 61 sessions of');
  });

  test('tells of sessions that choose the epochs and are tested', async () => {
    const test = await file(
      'test.csv',
      'session_id,item_id,timestamp\nt,"p""3",1\nt,"p""4",2\nu,"p""5",3\nu,"p""6",4\n',
    );
    const valid = await file('valid.csv', 'session_id,item_id,timestamp\nt,"p""3",1\nt,"p""4",2\n');
    const { code, stderr } = await compare('--variants', await variants([small]), '--test', test, '--valid', valid);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(
        `1 of the 2 sessions of ${test} are in ${valid}, too: the figures on them are too good.`,
      ),
    });
  });

  test('leaves a folder alone whose files are of something else', async () => {
    const argv = ['--models', 'pop'];
    out = join(await folder(), 'model');
    expect((await aisle('train', '--data', data, '--model', 'pop', '--out', out)).code).toBe(0);
    const refused = (name: string) => ({
      code: 2,
      stderr: expect.stringContaining(`${out} holds ${name}, which no comparison wrote, and is left alone;`),
    });
    expect(await compare(...argv)).toMatchObject(refused('manifest.json'));
    out = dirname(await file('report.md', 'my own'));
    expect(await compare(...argv)).toMatchObject(refused('report.md'));
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toBe('my own');
    out = data;
    expect(await compare(...argv)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is a file; name a folder.'),
    });
  });

  test('reads the parts that it cuts as the log was read, though their times look like dates', async () => {
    const lines = Array.from({ length: 40 }, (_, s) =>
      s % 2 ? `s${s},a,${20_240_501 + s}\n` : `s${s},a,${20_240_501 + s}\ns${s},b,${20_240_501.5 + s}\n`,
    );
    data = await file('1970.csv', `session_id,item_id,timestamp\n${lines.join('')}`);
    const argv = ['--models', 'pop', '--time-unit', 's'];
    const manifest = () => JSON.parse(readFileSync(join(out, 'cells', cells()[0]!, 'pop/manifest.json'), 'utf8'));
    for (const [more, sessions] of [
      [[], 18],
      [['--min-length', '1'], 36],
    ] as const) {
      out = join(await folder(), 'report');
      expect(await compare(...argv, ...more)).toMatchObject({ code: 0 });
      expect(manifest().training.data).toMatchObject({ sessions });
    }
  });

  test('ranks the models of one log, with what is between them, in three forms', async () => {
    const file = await variants([small]);
    const { code, stdout, stderr } = await compare('--models', 'pop,markov', '--variants', file, '--seeds', '2');
    expect({ code, failed: /no result/.test(stderr) }).toEqual({ code: 0, failed: false });
    const { rows, failures } = report();
    expect(failures).toEqual([]);
    expect(rows.map(({ name }: { name: string }) => name).sort()).toEqual(['markov', 'pop', 'small net']);
    const [best, ...others] = rows;
    expect(best.behind).toBeUndefined();
    for (const row of others) {
      expect(row.metrics['mrr@20']).toBeLessThanOrEqual(best.metrics['mrr@20']);
      expect(row.behind.mean).toBeCloseTo(best.metrics['mrr@20'] - row.metrics['mrr@20'], 10);
      expect(row.behind.low).toBeLessThanOrEqual(row.behind.mean);
      expect(row.behind.high).toBeGreaterThanOrEqual(row.behind.mean);
    }
    const net = rows.find(({ name }: { name: string }) => name === 'small net');
    expect(net).toMatchObject({ seeds: [1, 2], deviation: { 'mrr@20': expect.any(Number) } });
    expect(net.curve[0]).toEqual({ epoch: 1, loss: expect.any(Number), valid: expect.any(Number) });
    // What chose the epochs, what learnt from everything, what was tested.
    expect(net.commands.map((line: string) => line.split(' ')[1])).toEqual(['train', 'train', 'evaluate']);
    // Counting models are rows, so no training compares itself with them.
    const cell = cells().find((name) => name.startsWith('small_net'))!;
    const card = readFileSync(join(out, 'cells', cell, 'validated', 'README.md'), 'utf8');
    expect(card).toContain('| metric | value |\n');
    const chosen = net.curve.toSorted((a: never, b: never) => b['valid'] - a['valid'])[0].epoch;
    expect(net.commands[1]).toContain(`--epochs ${chosen} `);
    for (const part of ['byClicks', 'byLength', 'byPopularity']) {
      const counts = best[part].map(({ predictions }: { predictions: number }) => predictions);
      expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(best.predictions);
    }
    expect(stdout).toMatch(/^small net .* (best|tied|close|undecided|behind)$/m);
    const text = readFileSync(join(out, 'report.md'), 'utf8');
    expect(text).toContain(`| ${best.name} | best |`);
    expect(text).toContain(
      'Networks are trained with each of the seeds 1, 2: their figures are means over the seeds, ±',
    );
  });

  test('writes one HTML file that runs and asks for nothing, whatever a model is called', async () => {
    const file = await variants([{ ...small, name: '<img src=x onerror=alert(1)>' }]);
    expect((await compare('--models', 'markov', '--variants', file, '--epochs', '1')).code).toBe(0);
    const html = readFileSync(join(out, 'report.html'), 'utf8');
    expect(html).not.toMatch(/<script|<img|<link|https?:|url\(/);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(html.match(/<svg viewBox="0 0 640 320"/g)!.length).toBeGreaterThanOrEqual(4);
    // Epochs are whole.
    const [learning] = html.match(/<figcaption>Learning: loss of [\s\S]*?<\/figure>/)!;
    const ticks = [...learning!.matchAll(/y="286" text-anchor="middle">([^<]*)</g)].map(([, tick]) => Number(tick));
    expect(ticks.length).toBeGreaterThan(0);
    for (const tick of ticks) expect(Number.isInteger(tick)).toBe(true);
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('repeats no finished cell, adds what is new, and redoes one that was damaged', async () => {
    const first = await compare('--models', 'pop,markov');
    expect(first.stderr).not.toContain('was there already');
    const before = report();
    const folders = cells();
    const more = await compare('--models', 'pop,markov,sr');
    expect(more.stderr.match(/was there already/g)).toHaveLength(2);
    expect(cells()).toHaveLength(3);
    const damaged = join(out, 'cells', folders.find((name) => name.startsWith('markov'))!, 'ranks.tsv');
    const ranks = readFileSync(damaged, 'utf8');
    await writeFile(damaged, ranks.replace(/\t1\n/, '\t9\n'));
    const again = await compare('--models', 'pop,markov');
    expect(again.stderr).toMatch(/\[2\/2\] markov: mrr@20 \S+, trained in/);
    expect(readFileSync(damaged, 'utf8')).toBe(ranks);
    const timeless = ({ rows }: ReturnType<typeof report>) =>
      rows.map(
        ({ trainSeconds, processorSeconds, peakMemoryBytes, evaluateSeconds, ...row }: Record<string, unknown>) => row,
      );
    expect(timeless(report())).toEqual(timeless(before));
  });

  test('is not passed where the best row is worse than an artifact, on items that both know', async () => {
    const fewer = await file('fewer.csv', RING_LOG.replace(/^s\d+,"p""9".*\n/gm, ''));
    const [good, poor] = [join(out, '../good'), join(out, '../poor')];
    await aisle('train', '--data', fewer, '--model', 'markov', '--out', good);
    await aisle('train', '--data', data, '--model', 'pop', '--out', poor);

    const worse = await compare('--models', 'pop', '--at-least', good);
    expect(worse).toMatchObject({ code: 3, stderr: expect.stringContaining(`pop is worse than ${good}: in mrr@20`) });
    const { gate, rows, command } = report();
    expect(gate).toMatchObject({ artifact: good, row: 'pop', isWorse: true, metric: 'mrr@20' });
    expect(gate.behind.low).toBeGreaterThan(0);
    expect(gate.predictions).toBeGreaterThan(0);
    expect(gate.predictions).toBeLessThan(rows[0].predictions);
    expect(command).toContain(`--at-least ${good}`);
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain(`pop is worse than ${good}`);

    // Products that one of them alone knows push nothing down, and help nobody.
    const more = `${RING_LOG}${Array.from({ length: 400 }, (_, k) => `more${k >> 2},new${k % 40},1700000000\n`).join('')}`;
    const [fresh, old] = [await file('more.csv', more), join(out, '../old')];
    await aisle('train', '--data', data, '--model', 'pop', '--out', old);
    const same = ['--data', fresh, '--test', data, '--models', 'pop', '--out', join(out, '../same'), '--at-least', old];
    expect(await aisle('compare', ...same)).toMatchObject({ code: 0 });
    const { gate: even } = JSON.parse(readFileSync(join(out, '../same/report.json'), 'utf8'));
    expect(even.behind).toEqual({ mean: 0, low: 0, high: 0 });

    for (const [model, artifact] of [
      ['markov', good], // a tie
      ['markov', poor],
    ] as const) {
      const { code, stdout } = await compare('--models', model, '--at-least', artifact);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`not worse than ${artifact}`) });
    }
    expect((await compare('--models', 'pop', '--at-least', join(out, 'none'))).code).toBe(2);
    const other = await compare('--protocol', 'last-item', '--at-least', good);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('--at-least does not go with') });
  });

  test('goes on from an artifact, with its settings, and is compared with it', async () => {
    const start = join(out, '../start');
    const settings = ['--preset', 'none', '--set', 'layers=8', '--set', 'batchSize=8', '--set', 'nSample=8'];
    await aisle('train', '--data', data, '--model', 'gru4rec', '--out', start, '--epochs', '2', ...settings);
    const argv = ['--models', 'gru4rec,markov', '--from', start, '--epochs', '1', '--at-least', start];
    const { code, stderr } = await compare(...argv);
    expect(code, stderr).toBe(0);
    expect(report().command).toContain(`--from ${start}`);
    const cell = cells().find((name) => name.startsWith('gru4rec'))!;
    const manifest = readFileSync(join(out, 'cells', cell, 'gru4rec/manifest.json'), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({
      config: { layers: [8] },
      training: { command: expect.stringContaining('--from') },
    });
    // The artifact knows an item that the log lacks, which only the network can predict.
    const fewer = await file('fewer.csv', RING_LOG.replace(/^s\d+,"p""9".*\n/gm, ''));
    const wider = ['--data', fewer, '--test', data, '--models', 'gru4rec,markov', '--from', start, '--epochs', '1'];
    expect((await aisle('compare', ...wider, '--out', join(out, '../wider'))).code).toBe(0);
    const { rows } = JSON.parse(readFileSync(join(out, '../wider/report.json'), 'utf8'));
    expect(rows[1]).toMatchObject({ verdict: 'other predictions', isTied: false });
    expect(rows[1].predictions).not.toBe(rows[0].predictions);
    // Another artifact, another run.
    await aisle('train', '--data', data, '--model', 'gru4rec', '--out', start, '--epochs', '3', ...settings);
    const again = await compare(...argv);
    expect(again.stderr.match(/was there already/g)).toHaveLength(1);
    for (const [more, why] of [
      [['gru4rec', '--preset', 'auto'], '--preset has no place'],
      [['gru4rec', '--protocol', 'incremental'], '--from does not go with --protocol incremental'],
      [['markov'], '--from is for networks'],
    ] as const) {
      const refused = await compare('--from', start, '--models', ...more);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
    }
  });

  test('computes again what other code has computed', async () => {
    const file = await variants([small, { name: 'half and half', mix: ['small net', 'markov'], weight: 0.5 }]);
    const argv = ['--models', 'markov', '--variants', file, '--epochs', '1'];
    await compare(...argv);
    expect((await compare(...argv)).stderr.match(/was there already/g)).toHaveLength(3);
    vi.stubEnv('CODE_HASH', 'of other code');
    expect((await compare(...argv)).stderr).not.toContain('was there already');
  });

  test('ends as its first model did where none gives a result, and tells with --verbose where', async () => {
    const file = await variants([{ name: 'coloured', model: 'transformers4rec', config: { features: 'colour' } }]);
    const { code, stderr } = await compare('--variants', file, '--epochs', '1');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('No model gave a result. The first said'),
    });
    expect(stderr).not.toMatch(/--verbose|^\s+at /m);
    const verbose = await compare('--variants', file, '--epochs', '1', '--verbose');
    expect(verbose.stderr).toMatch(/^RecommenderError: .*colour.*\n\s+at /m);
    const [message, ...trace] = verbose.stderr.split('\n').filter((line) => line.startsWith('[1/1]'));
    expect({ message, trace }).toEqual({ message: expect.stringContaining('no result'), trace: [] });
  });

  test('goes on after Ctrl-C: finished cells stay, and a training resumes', async () => {
    const file = await variants([small]);
    const argv = ['compare', '--data', data, '--out', out, '--models', 'pop', '--variants', file, '--epochs', '3'];
    const abort = new AbortController();
    let said = '';
    const write = (text: string) => {
      said += text;
      if (text.startsWith('epoch 2')) abort.abort();
    };
    const code = await run(argv, { stdout: { write() {} }, stderr: { write }, signal: abort.signal });
    expect(code).toBe(130);
    expect(said.split('\n').at(-2)).toBe(
      `aisle: Interrupted in the training of small net. ${join(out, 'cells')} holds everything: the same command goes on from there.`,
    );
    const resumed = await aisle(...argv);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/\[1\/2\] pop: .* was there already/);
    expect(resumed.stderr).not.toMatch(/^epoch 1 /m);
    expect(resumed.stderr).toMatch(/^epoch 3 /m);
    expect(report().rows.find(({ model }: { model: string }) => model === 'gru4rec').commands[0]).toContain('--resume');
  });

  test('does not choose the number of epochs again where only the training after that was interrupted', async () => {
    const file = await variants([{ ...small, config: { ...small.config, nEpochs: 2 } }]);
    const argv = ['compare', '--data', data, '--out', out, '--variants', file];
    const abort = new AbortController();
    let trainings = 0;
    const stderr = {
      write(text: string) {
        if (text.startsWith('epoch 1 ') && ++trainings === 2) abort.abort();
      },
    };
    expect(await run(argv, { stdout: { write() {} }, stderr, signal: abort.signal })).toBe(130);
    const resumed = await aisle(...argv);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).not.toMatch(/^epoch 1 /m);
    const [row] = report().rows;
    expect(row.commands.map((line: string) => line.split(' ')[1])).toEqual(['train', 'train', 'evaluate']);
    expect(row.curve).toHaveLength(2);
  });

  test('leaves the last events of every session out, and tests what the first of them has chosen', async () => {
    const file = await variants([small]);
    const argv = ['--protocol', 'leave-one-out', '--holdout', '2', '--models', 'markov', '--variants', file];
    const { code, stderr } = await compare(...argv);
    expect({ code, failed: /no result/.test(stderr) }).toEqual({ code: 0, failed: false });
    for (const { model, commands, predictions, curve } of report().rows) {
      expect(predictions).toBe(60);
      expect(commands.map((line: string) => line.split(' ')[1])).toEqual(['train', 'evaluate']);
      expect(commands[0]).toContain('--holdout 2');
      expect(curve).toHaveLength(model === 'gru4rec' ? 3 : 0);
      if (model === 'gru4rec') expect(commands[0]).toContain('--valid held-out');
    }
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('tested on the last event of its sessions');
  });

  test('chooses the epochs on the part that is named', async () => {
    const file = await variants([small]);
    expect((await compare('--models', 'pop', '--variants', file, '--valid', 'last:25%')).code).toBe(0);
    const net = report().rows.find(({ name }: { name: string }) => name === 'small net');
    expect(net.commands[0]).toContain('--valid last:25%');
    expect(net.commands[1]).not.toContain('--valid');
  });

  test.each([
    [['--epochs', '2', '--valid', 'last:10%'], '--valid has nothing to choose'],
    [['--holdout', '2'], 'does not go with --protocol events'],
    [['--holdout', '3', '--protocol', 'leave-one-out'], 'Expected 2: the last event is the test'],
    [['--holdout', '1', '--protocol', 'leave-one-out'], 'Expected 2: the last event is the test'],
    [['--holdout', '2', '--protocol', 'leave-one-out', '--valid', 'last:10%'], '--valid has no place'],
    [['--holdout', '2', '--protocol', 'leave-one-out', '--test', 'events.csv'], '--test has no place'],
    [['--valid', 'none'], '--epochs needs none'],
    [['--models', 'pop,mrkov'], 'No model is called "mrkov"; the nearest is "markov". Known are gru4rec, '],
    [['--valid', 'last:1d', '--protocol', 'incremental'], 'each window has its own epochs'],
  ])('refuses %j', async (argv, message) => {
    const { code, stderr } = await compare('--models', 'pop', ...argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('warns of options that no row uses', async () => {
    const argv = ['--seeds', '2', '--epochs', '2', '--backend', 'webgpu'];
    const { code, stderr } = await compare('--models', 'pop', ...argv);
    for (const flag of ['--epochs', '--seeds', '--backend'])
      expect(stderr).toContain(`${flag} is for networks, and no row is one`);
    expect(code).toBe(0);
  });

  test('takes for each model the preset that suits the log, key by key, and says why', async () => {
    const file = await variants([
      { name: 'mine', model: 'gru4rec', preset: 'auto', config: { ...small.config, layers: [4] } },
    ]);
    const { code, stderr } = await compare(
      '--models',
      'markov',
      '--preset',
      'auto',
      '--variants',
      file,
      '--epochs',
      '1',
    );
    expect({ code, failed: /no result/.test(stderr) }).toEqual({ code: 2, failed: false });
    expect(stderr).toContain('No model of --models has a preset "auto"');
    expect((await compare('--models', 'markov', '--variants', file, '--epochs', '1')).code).toBe(0);
    const mine = report().rows.find(({ name }: { name: string }) => name === 'mine');
    // Of the part that is learnt from: the last tenth of the sessions is the test.
    expect(mine.auto.why).toMatch(/^12 items, 228 events in 54 sessions .* so the preset/);
    expect(mine.commands[0]).toMatch(/--set layers=4 .*--set momentum=0\.4/);
    expect(mine.commands[0]).toContain('--preset none');
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain(`- mine, --preset auto: ${mine.auto.why}`);
  });

  test('names the preset of a variant where its settings contradict what that fixes', async () => {
    const file = await variants([{ ...small, preset: 'diginetica', config: { logq: 1 } }]);
    const { code, stderr } = await compare('--variants', file);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('The preset diginetica has loss=bpr-max: set loss too, or take --preset none.'),
    });
  });

  test.each([
    [['--test', 'DATA'], '258 events in 60 sessions'],
    [['--protocol', 'leave-one-out', '--holdout', '2'], '117 events in 39 sessions'],
    [['--protocol', 'incremental', '--window', '12h'], '30 events in 7 sessions'],
  ])('picks the preset by what is learnt from, with %j', async (argv, seen) => {
    const own = { ...small, preset: 'auto' };
    const file = await variants([own]);
    const words = argv.map((word) => (word === 'DATA' ? data : word));
    const { stderr } = await compare('--variants', file, '--epochs', '1', ...words);
    expect(stderr).toMatch(new RegExp(`^--preset auto, small net: 12 items, .*${seen}`, 'm'));
  });

  test('asks models together as rows of their own: all seeds of one, and one with neighbours by a share that validation chose', async () => {
    const file = await variants([
      small,
      { name: 'both seeds', ensemble: 'small net' },
      { name: 'with rules', mix: ['small net', 'markov'] },
      { name: 'half and half', mix: ['small net', 'markov'], weight: 0.5, combine: 'standard' },
    ]);
    const argv = ['--models', 'markov', '--variants', file, '--seeds', '2', '--valid', 'last:25%'];
    const { code, stderr } = await compare(...argv);
    expect({ code, failed: /no result/.test(stderr) }).toEqual({ code: 0, failed: false });
    const { rows, failures } = report();
    expect(failures).toEqual([]);
    const row = (name: string) => rows.find((one: { name: string }) => one.name === name);
    expect(row('both seeds')).toMatchObject({
      model: 'ensemble',
      seeds: [1],
      blend: [{ of: 'small net', seeds: [1, 2] }],
    });
    expect(row('both seeds').commands).toHaveLength(1);
    expect(row('both seeds').parameters).toBe(2 * row('small net').parameters);
    const mixed = row('with rules');
    expect(mixed).toMatchObject({ model: 'mixture', seeds: [1, 2], predictions: row('markov').predictions });
    for (const { weight, chosen } of mixed.blend) {
      expect(weight).toBeGreaterThan(0);
      expect(chosen).toEqual({ metric: 'mrr@20', value: expect.any(Number) });
    }
    // The validation part is cut off, counted without, both asked of it, and then of the test part.
    expect(mixed.commands.map((line: string) => line.split(' ')[1])).toEqual([
      'split',
      'train',
      'evaluate',
      'evaluate',
    ]);
    expect(mixed.commands[2]).toContain('/validated');
    expect(mixed.commands[3]).not.toContain('/validated');
    expect(row('half and half').commands).toHaveLength(1);
    expect(row('half and half').commands[0]).toContain(':0.5 --combine standard');
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toMatch(
      /^- with rules, probabilities of small net with 0\.\d+ of markov, chosen by/m,
    );
    const again = await compare(...argv);
    expect(again.stderr.match(/was there already/g)).toHaveLength(3 + 5);
  });

  test('chooses the share of a mixture on the event that leave-one-out keeps for it', async () => {
    const file = await variants([small, { name: 'with rules', mix: ['small net', 'markov'] }]);
    const argv = ['--models', 'markov', '--variants', file, '--protocol', 'leave-one-out', '--holdout', '2'];
    const { code, stderr } = await compare(...argv);
    expect({ code, failed: /no result/.test(stderr) }).toEqual({ code: 0, failed: false });
    const { commands } = report().rows.find(({ name }: { name: string }) => name === 'with rules');
    expect(commands.map((line: string) => line.split(' ')[1])).toEqual(['evaluate', 'evaluate']);
    expect(commands[0]).toContain('--target valid');
  });

  test('chooses the share of a mixture under the protocol of the test', async () => {
    const file = await variants([small, { name: 'with rules', mix: ['small net', 'markov'] }]);
    const argv = ['--models', 'markov', '--variants', file, '--protocol', 'last-item', '--valid', 'last:25%'];
    const { code, stderr } = await compare(...argv);
    expect({ code, failed: /no result/.test(stderr) }).toEqual({ code: 0, failed: false });
    const { commands } = report().rows.find(({ name }: { name: string }) => name === 'with rules');
    expect(commands[2]).toContain('--mix');
    expect(commands[2]).toContain('--protocol last-item');
  });

  test('says which row of several models has no result, and why', async () => {
    const file = await variants([
      small,
      { name: 'one seed', ensemble: 'small net' },
      { name: 'no validation', mix: ['small net', 'markov'] },
    ]);
    expect((await compare('--models', 'markov', '--variants', file, '--epochs', '1')).code).toBe(0);
    expect(report().failures).toEqual([
      { name: 'one seed', seed: 1, message: expect.stringContaining('`seeds` 3') },
      {
        name: 'no validation',
        seed: 1,
        message: expect.stringContaining('Leave the epochs out, or give the mixture a "weight"'),
      },
    ]);
  });

  test.each<[string, object]>([
    ['"both" is of "nothing", which is no row', { name: 'both', ensemble: 'nothing' }],
    ['a row of several models has no name', { ensemble: 'small net' }],
    ['neither of one row nor of two', { name: 'three', mix: ['small net'] }],
    ['the weight of "two" is not from 0 to 1', { name: 'two', mix: ['small net', 'small net'], weight: 2 }],
    ['"two" combines by "ranks"', { name: 'two', mix: ['small net', 'small net'], combine: 'ranks' }],
    ['"two" has a key "model"', { name: 'two', ensemble: 'small net', model: 'sasrec' }],
  ])('refuses a row of several models: %s', async (message, entry) => {
    const { code, stderr } = await compare('--variants', await variants([small, entry]));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('goes on without a model that fails, and says what it said', async () => {
    const lonely = { ...small, name: 'lonely', config: { ...small.config, nSample: 0 } };
    const one = await file(
      'one.csv',
      RING_LOG.split('\n')
        .filter((line) => /^(session|s0,)/.test(line))
        .join('\n'),
    );
    const argv = ['compare', '--data', one, '--test', data, '--out', out, '--models', 'markov'];
    const { code, stdout } = await aisle(...argv, '--variants', await variants([lonely]));
    expect(code).toBe(0);
    const message = expect.stringMatching(/no negative is left to learn from. Use nSample above 0\.$/);
    expect(report().failures).toEqual([{ name: 'lonely', seed: 1, message }]);
    expect(report().rows.map(({ name }: { name: string }) => name)).toEqual(['markov']);
    expect(stdout).toContain('No result of lonely, seed 1');
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('no negative is left');
  });

  test('stops a model that diverges with step, learning rate and advice, and goes on with the others', async () => {
    const attention = { hiddenUnits: 8, maxlen: 6, numBlocks: 1, batchSize: 8 };
    const file = await variants([
      { name: 'wild', model: 'sasrec', config: { ...attention, layerNormEps: 0, lrSchedule: 'linear' } },
      { name: 'tame', model: 'sasrec', config: attention },
    ]);
    expect((await compare('--variants', file, '--epochs', '1')).code).toBe(0);
    const message = expect.stringMatching(
      // Of seven steps, each a seventh of the way down.
      /^The loss became NaN at step 2 \(epoch 1\), learning rate 0\.000857142857\d*\. Train with a smaller learning rate\.$/,
    );
    expect(report().failures).toEqual([{ name: 'wild', seed: 1, message }]);
    expect(report().rows.map(({ name }: { name: string }) => name)).toEqual(['tame']);
  });

  test('takes a preset for the models that have one of its name, and says which rows have it', async () => {
    const argv = ['--models', 'markov,sasrec', '--preset', 'yoochoose-100k', '--epochs', '1'];
    const { code, stderr } = await compare(...argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    const { rows, command } = report();
    const of = (name: string) => rows.find((row: { name: string }) => row.name === name).commands[0];
    expect(of('sasrec')).toContain('--preset yoochoose-100k');
    expect(of('markov')).not.toContain('--preset');
    expect(command).toContain('--preset yoochoose-100k');
    const misspelt = await compare('--models', 'markov,sasrec', '--preset', 'yoochoose-10k');
    expect(misspelt).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'No model of --models has a preset "yoochoose-10k": did you mean yoochoose-100k?',
      ),
    });
  });

  test('reads a log of other columns once: what it cuts from it is written in its own', async () => {
    const other = await file('other.csv', RING_LOG.replace('session_id,item_id,timestamp', 'visit,sku,when'));
    const argv = ['compare', '--data', other, '--out', out, '--models', 'markov'];
    const { code, stderr } = await aisle(...argv, '--columns', 'session=visit,item=sku,time=when');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
  });

  test.each([
    [
      'a test file of another shop',
      [],
      /shares no item with .*events\.csv, so there is nothing to predict/,
      'x,other,1\nx,more,2\n',
    ],
    [
      'a test file without two known items in a session',
      [],
      /No session of .*test\.csv has two items that .*events\.csv knows, so there is nothing to predict/,
      'x,"p""1",1\nx,more,2\n',
    ],
    ['an unknown model', ['--models', 'pop,gru5rec'], /No model is called "gru5rec"/, ''],
    ['windows of a protocol that has none', ['--window', '1d'], /--window does not go with --protocol events/, ''],
  ])('refuses %s in one sentence', async (_, argv, message, rows) => {
    const other = rows ? ['--test', await file('test.csv', `session_id,item_id,timestamp\n${rows}`)] : [];
    const { code, stderr } = await compare(...argv, ...other);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('reads the settings of a row from a file beside the variants, wherever it is called', async () => {
    const list = await variants([{ name: 'found', model: 'sr', config: 'best.json' }]);
    const refused = await compare('--variants', list);
    const path = join(dirname(list), 'best.json');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(`${path} cannot be read`) });
    await writeFile(path, '{ "steps": 3 }');
    expect(await compare('--variants', list)).toMatchObject({ code: 0 });
    expect(report().rows[0].commands[0]).toContain('--set steps=3');
  });

  test.each([
    ['no list', {}, /this is no list/],
    ['a config that is none', [{ model: 'sr', config: 3 }], /entry 1 is neither an object nor the path of one/],
    ['an entry without a model', [{ name: 'a' }], /entry 1 names no model/],
    ['a misspelt key', [{ model: 'pop', sets: {} }], /entry 1 has a key "sets"/],
    ['a row of a name that is taken', [{ name: 'validated', model: 'pop' }], /No row can be called "validated"/],
    ['two rows of one name', [{ model: 'pop' }, { model: 'pop' }], /Two rows are called "pop"/],
    ['an option that the model does not have', [{ model: 'sr', config: { step: 3 } }], /the nearest is "steps"/],
  ])('refuses variants with %s', async (_, list, message) => {
    const { code, stderr } = await compare('--variants', await variants(list));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});

test('another holdout than that of leave-one-out is refused by the function too: the test event would choose the epochs', async () => {
  const options = { data, out, protocol: 'leave-one-out', holdout: 1 } as const;
  await expect(compareModels(options)).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringContaining('`holdout`: expected 2'),
  });
});

test('names of a scatter plot stay inside it, however many dots lie on one spot at its edge', () => {
  const dots = Array.from({ length: 60 }, (_, s) => ({ name: `model ${s}`, points: [[1, 0.3] as const] }));
  const svg = scatterPlot([{ name: 'elsewhere', points: [[0, 0.1]] }, ...dots], { title: 't', x: 'x', y: 'y' });
  const names = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="(start|end)">([^<]+)</g)];
  expect(names).toHaveLength(61);
  for (const [, x, y, anchor, name] of names) {
    const ends =
      anchor === 'start' ? [Number(x), Number(x) + 8 * name!.length] : [Number(x) - 8 * name!.length, Number(x)];
    expect(ends[0], name).toBeGreaterThan(0);
    expect(ends[1], name).toBeLessThan(640);
    expect(Number(y), name).toBeLessThan(320 - 52 + 8);
  }
});

describe('the paired bootstrap', () => {
  const scores = (sums: number[]) => ({
    sums: Float64Array.from(sums),
    counts: Float64Array.from(sums, () => 1),
  });

  test('finds the interval of a mean of independent differences', () => {
    // 400 sessions, differences of ±1 around 0.2: standard error 1/20.
    const a = scores(Array.from({ length: 400 }, (_, s) => (s % 2 ? 1.2 : -0.8)));
    const { mean, low, high } = pairedDifference(a, scores(new Array(400).fill(0)));
    expect(mean).toBeCloseTo(0.2, 12);
    expect(low).toBeCloseTo(0.2 - 1.96 / 20, 1.5);
    expect(high).toBeCloseTo(0.2 + 1.96 / 20, 1.5);
  });

  test('sees a small difference that every session shares, however different the sessions are', () => {
    const sessions = Array.from({ length: 100 }, (_, s) => s / 100);
    const { low, high } = pairedDifference(scores(sessions.map((sum) => sum + 0.01)), scores(sessions));
    expect(low).toBeCloseTo(0.01, 10);
    expect(high).toBeCloseTo(0.01, 10);
  });
});
