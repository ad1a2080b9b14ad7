import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baselines } from '../../src/neighbours/index';
import { type Claim, NO_CLAIMS, readClaims } from '../bench/quality/claims';
import { GOALS, goalsPage } from '../bench/quality/goals';
import { LOG_NAMES, LOGS } from '../bench/quality/logs';
import { type QualityRow, readResults, withRow } from '../bench/quality/record';
import { rowsOf } from '../bench/quality/rows';
import { bestCounter, countersOf, tunedName } from '../bench/quality/searches';
import { additions, besideSummary, headline, page, summary } from '../bench/quality/tables';
import { RESULTS } from '../bench/results';
import { textOf } from './manual';
import { smallSteps, trainings } from './measured';
import { pageNow } from './pages';
import { qualityPages } from './quality-pages';

test('what the pages say of quality is what was committed of it; "npm run docs" writes them', () => {
  for (const [path, shouldBe] of qualityPages()) expect(pageNow(path), path).toBe(shouldBe);
});

test('every figure of docs/claims.md is between marks, where it is written from a result', () => {
  const byHand = textOf('docs/claims.md')
    .replace(/<!-- (\S+) -->.*?<!-- \/\1 -->/gs, '')
    .replace(/`[^`]*`|\]\([^)]*\)/g, '')
    .replace(/at least 20 events|p < \.05: up to 5 %|95 % interval|excludes 0/g, ''); // how it was asked, not what came out
  expect(byHand.match(/^.*(?<![@\w-])\d.*$/gm) ?? []).toEqual([]);
});

test('every figure in the tables of docs/models.md is in a page of results that its row names', () => {
  const rows = textOf('docs/models.md').match(/^\| .*$/gm)!;
  const missing = rows.flatMap((row) => {
    const pages = [...row.matchAll(/results\/([\w-]+\.md)/g)].map(([, page]) =>
      readFileSync(join(RESULTS, page!), 'utf8'),
    );
    const figures = row.match(/\d*\.\d{2,}|[\d,]+(?= seconds)/g) ?? [];
    return figures.filter((figure) => !pages.some((page) => page.includes(figure)));
  });
  expect(missing).toEqual([]);
});

test('docs/claims.md leads to every page of results', () => {
  const text = textOf('docs/claims.md');
  const pages = readdirSync(RESULTS).filter((name) => name.endsWith('.md'));
  expect(pages.filter((name) => !text.includes(`(../test/bench/results/${name})`))).toEqual([]);
});

test('the headline says by how many seeds, and the interval where there is one', () => {
  expect(headline('diginetica', readResults('diginetica'), NO_CLAIMS)).toMatch(
    /, one seed\), .*; under 5 %, a tie without an interval\.$/,
  );
  const { rows } = readResults('diginetica');
  const ahead = rows.map((row) => (row.form === 'counted' ? row : { ...row, metrics: twice(row.metrics) }));
  expect(headline('diginetica', { rows: ahead }, NO_CLAIMS)).toMatch(/; no interval was computed\.$/);
  const [name, claims] = ['yoochoose-100k' as const, readClaims('yoochoose-100k')];
  expect(headline(name, readResults(name), claims)).toMatch(
    /, \d seeds\), .*; in mrr@20 [+−][\d.]+ \[.*\] (better|worse|tie)(, < 5 %)? beside vstan, tuned\.$/,
  );
});

test('speeds are rounded once, and two threads are compared with what a user gets who asks for none', () => {
  // 340 s for 206 s are 1.6505: the page of the runs says 1.65, which is no longer above the middle.
  expect(trainings()).toMatch(/takes 1\.7 to [\d.]+ times the seconds/);
  const threads = readFileSync(join(RESULTS, 'threads.md'), 'utf8').matchAll(/^\|.*\| ([\d.]+) \| equal \| \d+ \|$/gm);
  const shares = [...threads].map(([, share]) => share!).sort();
  expect(smallSteps()).toContain(`Two threads take ${shares[0]} to ${shares.at(-1)} of the time without`);
});

test('goals ask for the figures of the runs that they quote', () => {
  const quoting = GOALS.filter(({ why }) => why.startsWith('a run in plain PyTorch'));
  expect(quoting).toHaveLength(2);
  for (const { metrics, why, log } of quoting) {
    const figures = /: ([\d.]+) \/ ([\d.]+)/.exec(why)!.slice(1).map(Number);
    const scale = LOGS[log].inPercent ? 100 : 1;
    expect(Object.values(metrics!).map((value) => Number((scale * value).toFixed(4)))).toEqual(figures);
  }
});

const twice = ({ conservative, standard }: QualityRow['metrics']): QualityRow['metrics'] => ({
  standard,
  conservative: Object.fromEntries(Object.entries(conservative).map(([name, value]) => [name, 2 * value])),
});

test.each(LOG_NAMES)('no row of %s names a folder of the machine it was made on', (log) => {
  for (const { name, commands } of readResults(log).rows) {
    for (const command of commands) expect(command, name).not.toMatch(/(^|\s)\/|\.cache/);
  }
});

test.each(LOG_NAMES)('the rows of %s have names of their own, and each architecture has one in its preset', (log) => {
  const rows = rowsOf(log, 'vstan');
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  const improved = new Set(rows.filter(({ form }) => form === 'improved').map(({ model }) => model));
  const six = ['caser', 'cl4srec', 'gru4rec', 'sasrec', 'srgnn', 'transformers4rec'];
  expect([...improved].sort()).toEqual(LOGS[log].only === undefined ? six : [LOGS[log].only]);
});

describe('a page', () => {
  const metrics = (value: number) =>
    Object.fromEntries([5, 10, 20].flatMap((k) => ['recall', 'mrr', 'ndcg'].map((name) => [`${name}@${k}`, value])));
  const row = (name: string, seed: number, value: number, more: Partial<QualityRow> = {}): QualityRow => ({
    name,
    model: 'sasrec',
    form: 'improved',
    preset: 'diginetica',
    set: { maxlen: 10 },
    config: { maxlen: 10 },
    seed,
    key: 'k',
    commit: 'abc',
    machine: 'a machine',
    commands: [],
    predictions: 1000,
    isRetrained: true,
    metrics: { conservative: metrics(value), standard: metrics(value + 0.01) },
    'coverage@20': 0.5,
    'popularity@20': 0.1,
    selected: { epoch: 2, metric: 'mrr@20', value: value + 0.02 },
    curve: [1, 2].map((epoch) => ({ epoch, loss: 1 / epoch, valid: metrics(value) })),
    trainSeconds: 60,
    processorSeconds: 50,
    evaluateSeconds: 3,
    peakMemoryBytes: 5e8,
    parameters: 10,
    bytes: 40,
    ...more,
  });
  const counted: Partial<QualityRow> = { model: 'markov', form: 'counted', set: {}, curve: [] };
  const rows = [
    row('sasrec', 1, 0.18),
    row('sasrec', 2, 0.2),
    row('sasrec, official', 1, 0.195, { form: 'faithful', selected: { epoch: 2, metric: 'mrr@20', value: 0.2 } }),
    row('markov', 1, 0.1277, counted),
  ];

  test('shows means and deviations over seeds, ties both ways, what it took and how it learnt, the best row first', () => {
    const text = page('diginetica', { rows });
    expect(text).toMatch(/^\| sasrec, official \| faithful \| 1 \| 19\.50 \|/m);
    expect(text).toMatch(/^\| sasrec \| improved \| 2 \| 19\.00 ± 1\.41 \|.* 20\.00 ± 1\.41 \| 21\.00 ± 1\.41 \|$/m);
    expect(text).toMatch(/^\| markov \| counted \| {2}\| 12\.77 \|/m);
    expect(text.indexOf('| sasrec, official')).toBeLessThan(text.indexOf('| sasrec |'));
    expect(text).toMatch(/^\| sasrec \| 2 of 2, 2 of 2 \| 60 \| 50 \| 3 \| 500 \|/m);
    expect(text).toContain('| sasrec | 18.00 18.00 | 1.00 0.500 |');
    expect(text).toContain('- sasrec: `--model sasrec --preset diginetica --set maxlen=10`');
  });

  test('marks what is stale, and says why', () => {
    const stale = { stale: 'A kernel was wrong.' };
    const old = [row('sasrec', 1, 0.18, stale), row('sasrec', 2, 0.2, stale), ...rows.slice(2)];
    const text = page('diginetica', { rows: old });
    expect(text).toContain('| sasrec; stale | improved | 2 |');
    expect(text).toContain('Stale, and not measured again: sasrec (seed 1); sasrec (seed 2). A kernel was wrong.');
    expect(summary(() => ({ rows: old }))).toContain('19.00 ± 1.41 / 19.00 ± 1.41; stale |');

    const again = withRow({ rows: old }, row('sasrec', 1, 0.19), []);
    expect(page('diginetica', again)).toContain('| sasrec | improved | 1 | 19.00 |');
    expect(page('diginetica', again)).toContain('Stale, and not measured again: sasrec (seed 2). A kernel was wrong.');
    expect(page('diginetica', withRow(again, row('sasrec', 2, 0.2), []))).not.toContain('tale');
  });

  test('shows parts of the predictions apart', () => {
    const groups = {
      'same day': { predictions: 4, metrics: metrics(0.3) },
      'new day': { predictions: 6, metrics: metrics(0.1) },
    };
    const text = page('amazon-beauty', { rows: [row('sasrec', 1, 0.05, { groups })] });
    expect(text).toContain('Predictions: same day 4, new day 6.');
    expect(text).toContain('| sasrec | 0.3000 | 0.3000 | 0.1000 | 0.1000 |');
  });

  test('tells how blended rows were put together, and never takes one for an architecture', () => {
    const blended = { by: 'probabilities', of: 'sasrec', with: 'vstan', weight: 0.4 } as const;
    const mixture = row('sasrec with vstan', 1, 0.3, { model: 'mixture', form: 'blended', curve: [], blended });
    const partner = { name: 'vstan', metric: 'mrr@20', reached: { sr: 0.2, vstan: 0.3, stan: 0.25 }, key: 'k' };
    const results = { partner, rows: [...rows, mixture] };
    const text = page('diginetica', results);
    expect(text).toContain('- sasrec with vstan: probabilities of sasrec with 0.4 of vstan');
    expect(text).toContain(
      'mixed with vstan, which of these reached the best mrr@20 on the validation part: vstan 30.00; stan 25.00; sr 20.00.',
    );
    expect(summary((log) => (log === 'diginetica' ? results : { rows: [] }))).not.toContain('mixture');
  });

  test('of goals asks one row for all figures, and measures another row by its own', () => {
    const figures = (recall: number, mrr: number) => {
      const conservative = { ...metrics(0), 'recall@20': recall, 'mrr@20': mrr };
      return { metrics: { conservative, standard: conservative } };
    };
    const found = new Map<string, readonly QualityRow[]>([
      [
        'diginetica',
        [
          row('sasrec', 1, 0, figures(0.543, 0.2)),
          row('caser', 1, 0, { model: 'caser', ...figures(0.56, 0.13) }),
          row('caser with v-sknn', 1, 0, { model: 'mixture', form: 'blended', ...figures(0.6, 0.2) }),
        ],
      ],
      [
        'online-retail',
        [
          row('sasrec', 1, 0, figures(0.39, 0.2)),
          row('sr', 1, 0, { ...counted, ...figures(0.38, 0.19) }),
          row('pop', 1, 0, { ...counted, ...figures(0.1, 0.1) }),
        ],
      ],
    ]);
    const lines = goalsPage((log) => ({ rows: found.get(log) ?? [] })).split('\n');
    const cells = (log: string, who: string) =>
      lines
        .find((line) => line.includes(log) && line.includes(`| ${who}`))!
        .split(' | ')
        .slice(3);
    expect(cells('Diginetica', 'the best of the six')).toEqual([
      '54.30 / 20.00',
      'sasrec, 1 seed',
      'no, with 1 of 3 seeds |',
    ]);
    const seeds = [1, 2, 3].map((seed) => row('sasrec', seed, 0, figures(0.551, 0.192)));
    found.set('diginetica', [...seeds, row('cl4srec', 1, 0, { model: 'cl4srec', ...figures(0.56, 0.2) })]);
    expect(goalsPage((log) => ({ rows: found.get(log) ?? [] }))).toContain('| 55.10 / 19.20 | sasrec, 3 seeds | yes |');
    expect(cells('Diginetica', 'Caser')).toEqual(['56.00 / 13.00', 'caser, 1 seed', 'yes |']);
    expect(cells('Diginetica', 'GRU4Rec')).toEqual(['not measured yet', '', ' |']);
    expect(cells('Online Retail', 'the best of the six')).toEqual(['0.3900 / 0.2000', 'sasrec, 1 seed', 'yes |']);
    expect(lines.find((line) => line.includes('Online Retail'))).toContain('0.3800 / 0.1900: the best row that counts');
  });

  test('of all logs shows of each architecture the row that the validation chose, not the best of the test', () => {
    const planned = rowsOf('diginetica', undefined).filter(({ form }) => form !== 'blended');
    const text = summary((log) => ({ rows: log === 'diginetica' ? rows : [] }));
    expect(text.split('\n').slice(2)).toEqual([
      '| the best counting row by the test itself, tuned or not | 12.77 / 12.77 (markov) |',
      '| sasrec | 19.00 ± 1.41 / 19.00 ± 1.41 |',
      '| sasrec, as published | 19.50 / 19.50 (sasrec, official) |',
      `| rows measured, without the blended ones | 2 of ${planned.length} |`,
    ]);
  });

  test('of all logs counts stale rows apart from measured ones, and blended ones not at all', () => {
    const of = (...names: string[]) => rows.filter(({ name }) => names.includes(name));
    const stale = of('sasrec').map((row) => ({ ...row, stale: 'A kernel was wrong.' }));
    const blended = row('sasrec, seeds together', 1, 0.3, { model: 'ensemble', form: 'blended', curve: [] });
    const text = summary((log) => ({ rows: log === 'diginetica' ? [...stale, ...of('markov'), blended] : [] }));
    expect(text).toMatch(/^\| rows measured, without the blended ones \| 1 of \d+, and 1 stale \|$/m);
  });

  test('compares networks with the best of counting on the test, too, and says which verdicts that changes', () => {
    const difference = { mean: 0.07, low: 0.05, high: 0.09 };
    const differences = { 'mrr@20': difference, 'recall@20': difference };
    const claim = {
      network: { row: 'sasrec', keys: ['k', 'k'] },
      counter: { row: 'markov', keys: ['k'] },
      differences,
      besideBest: {
        'mrr@20': { row: 'vstan', mean: 0.001, low: -0.01, high: 0.01 },
        'recall@20': { row: 'markov', ...difference },
      },
      dropped: { events: 0, sessions: 0 },
      strata: {},
    } as unknown as Claim;
    const vstan = row('vstan', 1, 0.19, {
      ...counted,
      metrics: { conservative: { ...metrics(0.1), 'mrr@20': 0.19 }, standard: {} },
    });
    const results = { rows: [...rows.filter(({ form }) => form !== 'faithful'), vstan] };
    const claims = { counted: [{ row: 'vstan', keys: ['k'], strata: {} }], networks: [claim] };
    const of = <T>(log: string, one: T, none: T) => (log === 'diginetica' ? one : none);
    const text = besideSummary(
      (log) => of(log, results, { rows: [] }),
      (log) => of(log, claims, NO_CLAIMS),
    );
    expect(text).toContain(
      '| +7.00 [+5.00, +9.00] better; +7.00 [+5.00, +9.00] better (− vstan: +0.10 [−1.00, +1.00] tie); 2 seeds |',
    );
    expect(text).toMatch(/\n\* Diginetica, mrr@20, − vstan: `sasrec` tie \(better\)$/);
  });

  test('lists as added what differs from the published form in effect, not what is written out', () => {
    const config = { loss: 'bce', norm: 'pre', numEpochs: 201, batchSize: 128 };
    const text = additions((log) => ({ rows: log === 'diginetica' ? [row('sasrec', 1, 0.2, { config })] : [] }));
    expect(text.split('\n')[0]).toBe('* [sasrec](models/sasrec.md): `norm`, `numEpochs`');
    expect(text).toContain('srgnn, official, for 30: 4 on Diginetica, 10 on yoochoose-100k');
  });

  test('of all logs says in which unit figures are, and which counting models have no searched settings', () => {
    const best = bestCounter('diginetica')!;
    const given = row(tunedName(best), 1, 0.15, { ...counted, model: best });
    const [titles, , ...lines] = summary((log) => ({ rows: log === 'diginetica' ? [...rows, given] : [] })).split('\n');
    expect(titles).toContain('recall@20 / mrr@20 in percent |');
    const searched = countersOf('diginetica');
    const left = Object.keys(baselines).filter((model) => !Object.hasOwn(searched, model));
    expect(lines).toContain(`| counting models that were not searched | ${left.join(', ') || 'none'} |`);
    expect(summary((log) => ({ rows: log === 'eshop' ? rows : [] }))).toContain('recall@10 / mrr@10 from 0 to 1 |');
  });

  test('of all logs shows the preset of an architecture where not each of its rows was validated', () => {
    const given = rows.map(({ selected: _, ...row }) => row);
    for (const some of [given, [...rows.slice(0, 2), ...given.slice(2)], [...given.slice(0, 2), ...rows.slice(2)]]) {
      const text = summary((log) => ({ rows: log === 'diginetica' ? some : [] }));
      expect(text).toContain('| sasrec | 19.00 ± 1.41 / 19.00 ± 1.41 |');
    }
  });

  test('keeps what a row had reached with other settings or by other code, and nothing where the same came out again', () => {
    const order = ['markov', 'sasrec'];
    const again = withRow({ rows }, row('sasrec', 1, 0.18), order);
    expect(again).not.toHaveProperty('earlier');
    expect(again.rows.map(({ name, seed }) => `${name} ${seed}`)).toEqual([
      'markov 1',
      'sasrec 1',
      'sasrec 2',
      'sasrec, official 1',
    ]);
    const changed = withRow({ rows }, row('sasrec', 1, 0.3, { key: 'other' }), order);
    const [first] = changed.earlier!;
    expect(changed.earlier).toHaveLength(1);
    expect(first).toEqual({ name: 'sasrec', seed: 1, commit: 'abc', epochs: 2, metrics: metrics(0.18) });
    expect(withRow(changed, row('sasrec', 1, 0.4, { key: 'third' }), order).earlier).toHaveLength(2);
    expect(withRow({ rows }, row('sasrec', 1, 0.3), order).earlier).toEqual([first]);
  });

  test('tells what the test part was asked with other settings', () => {
    const earlier = [{ name: 'sasrec', seed: 1, commit: 'b4', metrics: metrics(0.17) }];
    expect(page('diginetica', { rows, earlier })).toContain('| sasrec | 1 | 17.00 | 17.00 |  | b4 |');
    const same = [{ name: 'sasrec', seed: 1, commit: 'abc', epochs: 2, metrics: metrics(0.17) }];
    const text = page('diginetica', { rows, earlier: same });
    expect(text).toContain('| sasrec | 1 | 17.00 | 17.00 | 2 | abc |');
    expect(text).toContain('with other figures, for a reason that was not kept: sasrec, seed 1.');
    expect(page('diginetica', { rows, earlier })).not.toContain('with other figures');
    expect(page('diginetica', { rows })).not.toContain('Tested before');
  });
});
