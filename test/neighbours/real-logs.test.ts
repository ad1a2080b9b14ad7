/** The counting rows of the real logs' READMEs, and a drawn log, which is always there. */
import { expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { baselines } from '../../src/neighbours/index';
import { random } from '../../src/session/random';
import { evaluate } from '../../src/train/evaluate';
import { metricsOf } from '../../src/train/metrics';
import { slice } from '../soak-slice';
import { testWithLogs } from '../with-logs';
import { sessionsOf } from './fixtures';
import { EXACT, type LogName, peerRanks, realLog, run, STATED, STATED_PREDICTIONS } from './real-logs';

/** Online Retail takes half a minute; Diginetica longer: `counting-baselines.ts` of the bench folder prints it too. */
const LOGS = slice<LogName>(
  ['yoochoose-100k', 'eshop-clothing-2008', 'online-retail'],
  (log) => log !== 'online-retail',
);

for (const name of LOGS) {
  testWithLogs(
    `${name}: POP, S-POP, Markov and SR reach the stated figures`,
    [name],
    async () => {
      const log = (await realLog(name))!;
      for (const model of EXACT.filter((model) => STATED[name][model])) {
        const { result } = await run(log, model, {}, 'miss');
        expect(result.n).toBe(STATED_PREDICTIONS[name]);
        for (const [metric, stated] of Object.entries(STATED[name][model]!)) {
          const got = result.metrics.conservative[metric]!;
          expect(Math.abs(got - stated), `${model} ${metric}: ${got}, stated ${stated}`).toBeLessThan(0.003);
        }
      }
    },
    180_000,
  );
}

const PEER_RANKS = ['yoochoose-100k', 'yoochoose-100k/peer-ranks.tsv'];
testWithLogs('SR and AR give most targets the very rank that session-rec gives them', PEER_RANKS, async () => {
  const log = (await realLog('yoochoose-100k'))!;
  for (const name of ['sr', 'ar'] as const) {
    const { ours, theirs } = await peerRanks(log, name, {});
    expect(ours).toHaveLength(387);
    const same = ours.filter((rank, i) => rank === theirs[i]).length;
    expect(same, name).toBeGreaterThan(0.8 * ours.length);
    const [recall, stated] = [ours, theirs].map((ranks) => metricsOf(ranks, [20])['recall@20']!);
    expect(Math.abs(recall! - stated!)).toBeLessThan(0.01);
  }
});

test('on a drawn log with a strong next item, Markov and SR beat popularity', async () => {
  const { integer, uniform } = random(5, 'drawn log');
  const draw = () => {
    const session = [1 + integer(30)];
    while (session.length < 6) session.push(uniform() < 0.6 ? 1 + (session.at(-1)! % 30) : 1 + integer(30));
    return session;
  };
  const train = sessionsOf(Array.from({ length: 400 }, draw));
  const held = sessionsOf(Array.from({ length: 100 }, draw));
  const support = new Int32Array(31);
  for (const item of train.items) support[item]!++;
  const recall: Record<string, number> = {};
  for (const [name, model] of Object.entries(baselines)) {
    const config = configure(model, {});
    const catalogue = { items: 30, support };
    const scorer = model.scorer(model.fit(train, catalogue, config), catalogue, config);
    const { metrics } = await evaluate(scorer, held, { protocol: 'events', support, ks: [1] });
    recall[name] = metrics.conservative['recall@1']!;
  }
  expect(recall.markov).toBeGreaterThan(0.5);
  expect(recall.sr).toBeGreaterThan(0.5);
  expect(recall.pop).toBeLessThan(0.1);
});
