import { beforeAll, describe, expect, test } from 'vitest';
import { openArtifact } from '../../src/checkpoint/open';
import { presetOf } from '../../src/models/presets';
import { loadScorer } from '../../src/ranking/load-scorer';
import { ADAPTER } from '../../src/train/tuning/settings';
import { start } from '../compute/backends/start';
import { folderOf, smallModel } from '../engine/fixture';
import { SMALL } from '../engine/parity';
import { encodedVisitors } from './personal-base';
import type { HeldOutVisitor, PersonalLog } from './personal-logs';
import { MODEL_NAMES, type ModelName, type RowName } from './personal-plan';
import { isStale, personalPage, personalSummary, type Report, type Result, readReport } from './personal-report';
import { fineTunersOf, follow, stageOf } from './personal-rows';
import { figuresOf } from './personal-statistics';

describe('the bench of learning', () => {
  beforeAll(() => start('wasm'));

  /** Goes back to what it has seen, in two sessions. */
  const items = Int32Array.of(3, 7, 3, 9, 7, 3, 12, 5, 12, 3, 5, 12);
  const visitor: HeldOutVisitor = {
    id: 'v',
    items,
    times: Float64Array.from(items, (_, e) => 60 * e),
    isStep: new Uint8Array(items.length),
    sessions: Int32Array.from(items, (_, e) => (e < 6 ? 0 : 1)),
  };

  test.each([...MODEL_NAMES.map((model): [ModelName, RowName] => [model, 'adapter']), ['sasrec', 'full'] as const])(
    'ranks by the base of %s, row %s, as the artifact that a page loads does',
    async (model, row) => {
      const loss = model === 'caser' && { loss: 'cross-entropy' };
      const small = await smallModel({ architecture: model, config: { ...SMALL[model], ...loss, repeatLags: 3 } });
      const repeats = { data: Float32Array.of(4, -3, 2), shape: [3] };
      const folder = await folderOf({ ...small, tensors: { ...small.tensors, repeats } });
      const artifact = await openArtifact(async (name) => folder.get(name));
      const scorer = await loadScorer(artifact);
      const own = { artifact, scorer, network: scorer.network };
      const base = {
        ...own,
        dispose: scorer.dispose,
        vectors: new Map([[visitor.id, await encodedVisitors(own, [visitor])]]),
      };
      const stage = await stageOf({ name: 'eshop', dropsSeen: false } as PersonalLog, base);
      const { make } = await fineTunersOf(row, model, stage, '');
      const expected: number[] = [];
      for (const [from, to] of [
        [0, 6],
        [6, 12],
      ] as const) {
        for (let e = from + 1; e < to; e++) {
          const scores = await scorer.score([{ items: items.slice(from, e) }]);
          expected.push(scores.filter((score) => score >= scores[items[e]! - 1]!).length);
        }
      }
      expect([...(await follow(stage, visitor, make)).base]).toEqual(expected);
      scorer.dispose();
    },
  );
});

test('a visitor whose MRR is lower is counted apart from one whose MRR is significantly lower', () => {
  const followed = (ungated: readonly number[]) => ({
    base: Int32Array.from(ungated, () => 2),
    ungated: Int32Array.from(ungated),
    gated: Int32Array.from(ungated, () => 2),
    opened: -1,
    rollbacks: 0,
  });
  const always = followed([4, 4, 5, 4, 4, 5, 4, 4]);
  const mostly = followed([4, 1, 4, 4, 4, 2, 5, 4]);
  const better = followed([1, 1, 1, 2, 1, 1, 1, 1]);
  const { ungated, gated } = figuresOf([always, mostly, better, better]);
  expect(ungated).toMatchObject({ worse: 0.25, lower: 0.5 });
  expect(gated).toMatchObject({ worse: 0, lower: 0, opened: 0 });
});

describe('a row', () => {
  const committed = readReport();
  const current = committed.results.filter((row) => !isStale(row));
  const adapter = current.find(({ log, row }) => log === 'beauty' && row === 'adapter')!;

  /** Changes settings while something is done. */
  function changed<T>(settings: object, change: object, then: () => T): T {
    const before = { ...settings };
    Object.assign(settings, change);
    try {
      return then();
    } finally {
      for (const key of Object.keys(change)) delete (settings as Record<string, unknown>)[key];
      Object.assign(settings, before);
    }
  }

  test('is stale once the preset of its base model is another, or how it learns', () => {
    const report = (row: Result): Report => ({ ...committed, results: [row] });
    const eshop = presetOf('sasrec', 'eshop').config;
    const stale = () => current.filter(isStale).map(({ log, model }) => `${log} ${model}`);
    expect(changed(eshop, { lr: 0.123 }, stale)).toEqual(
      current.flatMap(({ log, model }) => (log === 'eshop' && model === 'sasrec' ? ['eshop sasrec'] : [])),
    );
    const learning = changed(ADAPTER, { decay: 0.5 }, () => current.filter(isStale).map(({ row }) => row));
    expect(new Set(learning)).toEqual(new Set(['adapter']));
    expect(personalPage(report(adapter))).not.toContain('adapter (stale)');
    const { key: _, ...old } = adapter;
    expect(personalPage(report(old))).toContain('adapter (stale), gated');
    expect(personalSummary(report(old))).toContain('| Amazon Beauty | stale |');
  });
});
