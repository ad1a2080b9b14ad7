import { loadQuantisedModule } from '../../../src/compute/plan/quantised';
import { random } from '../../../src/session/random';
import { tableOf } from '../../compute/plan/item-table';
import { loadPlanModule } from '../../compute/plan/module';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../contender';

const TOP = 20;
const SIZE = 64;
const TURN = 20;

/** The best 20 of a session's vector by integers, beside the scores of 32 bits that they equal. */
export const cases: readonly BenchCase[] = [10_000, 20_000, 30_000, 100_000].map((items) => ({
  name: `scale-int8-${items / 1000}k`,
  unit: 'ms',
  runs: 40,
  warmup: 5,
  open: () => open(items),
}));

async function open(items: number): Promise<OpenCase> {
  const { normal } = random(1, 'scale', items);
  const table = tableOf(await loadPlanModule(), (await loadQuantisedModule())!, items, SIZE);
  for (let item = 0; item < items; item++) table.setItem(item, normal);
  const updates = Array.from({ length: 9 }, () => {
    const started = performance.now();
    table.update();
    return performance.now() - started;
  });
  const vectors = Array.from({ length: TURN }, () => Float32Array.from({ length: SIZE }, normal));
  let unanswered = 0;
  const times = (answer: () => void): number =>
    median(
      vectors.map((vector) => {
        table.setVector((j) => vector[j]!);
        const started = performance.now();
        answer();
        return performance.now() - started;
      }),
    );
  return {
    ours: async () =>
      times(() => {
        if (table.top(TOP) === undefined) unanswered++;
      }),
    theirs: async () => times(() => table.score(TOP)),
    peer: 'the same table in 32 bits',
    threads: 1,
    versions: {},
    facts: () => ({
      'recommendations a turn': TURN,
      'left to 32 bits': unanswered,
      'ms to copy the table': Number(median(updates).toPrecision(3)),
    }),
  };
}
