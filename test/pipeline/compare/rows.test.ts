import { describe, expect, test } from 'vitest';
import { markdownReport, protocolSentences } from '../../../src/pipeline/compare/markdown';
import { rowsOf } from '../../../src/pipeline/compare/rows';
import type { Run } from '../../../src/pipeline/compare/run';
import type { Rank } from '../../../src/pipeline/files/ranks';
import { metricsOf } from '../../../src/train/metrics';

/** A finished run of these ranks, one prediction a session. */
function run(name: string, ranks: readonly number[], { item = 'a', standard = ranks } = {}): Run {
  const made: Rank[] = ranks.map((rank, s) => ({ session: `s${s}`, position: 0, item, rank }));
  const result = {
    epochs: [],
    metrics: { conservative: metricsOf(ranks), standard: metricsOf(standard) },
    coverage: 0.5,
    popularity: 0.5,
    predictions: ranks.length,
    sessions: ranks.length,
    dropped: { events: 7, sessions: 3 },
    trainSeconds: 1,
    processorSeconds: 1,
    evaluateSeconds: 1,
    evaluateProcessorSeconds: 1,
    peakMemoryBytes: 1,
    parameters: 1,
    bytes: 1,
    commands: [],
  };
  const plan = { name, model: name, config: {}, isNeural: false, seed: 1 } as unknown as Run['plan'];
  return { plan, folder: '', result, ranks: made };
}

const rowsBy = (...runs: Run[]) => rowsOf(runs, new Map(), 'mrr@20');
const report = (rows: ReturnType<typeof rowsBy>) => ({
  ...{ train: 'train.tsv', test: 'test.tsv', protocol: 'events', metric: 'mrr@20' as const, windows: 0, seeds: [1] },
  ...{ rows, failures: [], version: '1', command: 'aisle compare' },
});

/** Ranks of 200 sessions, where every `each`-th is `other` in place of `rank`. */
const ranks = (rank: number, other = rank, each = 1) =>
  Array.from({ length: 200 }, (_, s) => (s % each === 0 ? other : rank));

describe('rows of a comparison', () => {
  test.each([
    ['tied', ranks(2, 1, 4), [...ranks(2, 1, 4).slice(1), 2]], // one session less, and another has it
    ['close', ranks(10), ranks(10, 11, 4)],
    ['behind', ranks(1), ranks(2)],
    ['undecided', [1, 2, 3, 1], [2, 1, 3, 2]],
  ])('says "%s" by the size of the gap and by its interval, and what that means', (verdict, better, worse) => {
    const rows = rowsBy(run('better', better), run('worse', worse));
    const [best, row] = rows;
    expect([best!.verdict, row!.name, row!.verdict]).toEqual(['best', 'worse', verdict]);
    expect(row!.isTied).toBe(verdict === 'tied' || verdict === 'close');
    expect(row!.behind!.low > 0).toBe(verdict === 'close' || verdict === 'behind');
    const text = protocolSentences(report(rows)).join('\n');
    expect(text.match(/"(tied|close|undecided|behind)":/g)).toEqual([`"${verdict}":`]);
  });

  test('of equal rows are tied, though nobody ranks a target', () => {
    const [, row] = rowsBy(run('one', ranks(21)), run('other', ranks(22)));
    expect([row!.verdict, row!.behind!.mean]).toEqual(['tied', 0]);
  });

  test('of fewer seeds than the comparison has are named', () => {
    const [row] = rowsBy(run('whole', ranks(1)));
    const rows = [
      { ...row!, seeds: [1, 2], curve: [{ epoch: 1, loss: 1 }] },
      { ...row!, name: 'half', seeds: [2], curve: [{ epoch: 1, loss: 1 }] },
    ];
    const said = (seeds: readonly number[]) => protocolSentences({ ...report(rows), seeds }).join('\n');
    expect(said([1, 2])).toContain('Others gave no result, so these are of fewer seeds: half, of 2.');
    expect(said([2])).not.toContain('fewer seeds');
  });

  test('keep their columns whatever they are called', () => {
    expect(markdownReport(report(rowsBy(run('a|b', ranks(1)))))).toMatch(/^\| a\\\|b \| best \|/m);
  });

  test('of windows are compared as they are ordered: each window counts as much as any other', () => {
    const few = [ranks(1).slice(0, 20), ranks(4)] as const;
    const many = [ranks(4).slice(0, 20), ranks(2)] as const;
    const windowed = (name: string, windows: readonly (readonly number[])[]): Run => {
      const runs = windows.map((one) => run(name, one));
      const of = { 'mrr@20': runs.reduce((sum, { result }) => sum + result.metrics.conservative['mrr@20']!, 0) / 2 };
      const all = run(name, windows.flat());
      const result = { ...all.result, metrics: { conservative: of, standard: of } };
      return { ...all, result, windows: runs.map((one, w) => ({ name: `${w}`, result: one.result })) };
    };
    const [best, other] = rowsBy(windowed('few', few), windowed('many', many));
    expect([best!.name, other!.verdict]).toEqual(['few', 'behind']);
    expect(other!.behind!.mean).toBeCloseTo(best!.metrics['mrr@20']! - other!.metrics['mrr@20']!, 12);
  });

  test('have the interval of recall, too, which may lie the other way', () => {
    const [best, other] = rowsBy(run('first', ranks(1, 21, 2)), run('wide', ranks(4)));
    expect([best!.name, other!.behindInRecall!.mean]).toEqual(['first', -0.5]);
    expect(other!.behindInRecall!.high).toBeLessThan(0);
    expect(markdownReport(report([best!, other!]))).toMatch(/^\| wide \| .* \| -0\.5000 \[-0\.\d+, -0\.\d+\] \|/m);
  });

  test('of other predictions are no pairs of the best one: no interval, and the report says why', () => {
    const rows = rowsBy(run('best', ranks(1)), run('same number', ranks(1, 2, 50), { item: 'b' }), run('fewer', [3]));
    expect(rows.map(({ verdict, behind, isTied }) => [verdict, behind, isTied])).toEqual([
      ['best', undefined, true],
      ['other predictions', undefined, false],
      ['other predictions', undefined, false],
    ]);
    const text = markdownReport(report(rows));
    expect(text).toContain('fewer knows other items than best, so it had other predictions, 1, and is not compared.');
  });

  test('are reported with what was left out, how often networks were trained, and ties won', () => {
    const text = markdownReport(report(rowsBy(run('only', ranks(2), { standard: ranks(1) }))));
    expect(text).toContain(
      'Left out of the test part: 7 events of items that the model does not know, then 3 sessions',
    );
    expect(text).toContain('Counting models draw nothing');
    expect(text).not.toMatch(/ $/m);
    expect(text).toMatch(
      /## With ties won\n[^|]*\| model .*\n.*\n\| only \| 1\.0000 \| 1\.0000 \| 1\.0000 \| 1\.0000 \|/,
    );
  });
});
