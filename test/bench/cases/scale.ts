import type { Plan } from '../../../src/compute/plan/plan';
import { loadProducts } from '../../../src/compute/plan/products';
import { loadQuantisedModule } from '../../../src/compute/plan/quantised';
import { random } from '../../../src/session/random';
import { codedTable } from '../../compute/plan/coded';
import { tableOf } from '../../compute/plan/item-table';
import { loadPlanModule } from '../../compute/plan/module';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../figures';

const TOP = 20;
const SIZE = 64;
const TURN = 20;
export const SCALES = [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000];

/** The best 20 of a session's vector, beside the scores of 32 bits: by integers, whose answers equal those, and by codes. */
export const cases: readonly BenchCase[] = (['int8', 'pq'] as const).flatMap((kind) =>
  SCALES.map((items) => ({
    name: `scale-${kind}-${items / 1000}k`,
    unit: 'ms',
    runs: 40,
    warmup: 5,
    open: () => open(kind, items),
  })),
);

async function open(kind: 'int8' | 'pq', items: number): Promise<OpenCase> {
  const { normal } = random(1, 'scale', items);
  const table = tableOf(await loadPlanModule(), (await loadQuantisedModule())!, items, SIZE);
  for (let item = 0; item < items; item++) table.setItem(item, normal);
  const updates = Array.from({ length: kind === 'int8' ? 9 : 1 }, () => {
    const started = performance.now();
    table.update();
    return performance.now() - started;
  });
  const coded = kind === 'pq' ? await codedItems(items) : undefined;
  const vectors = Array.from({ length: TURN }, () => Float32Array.from({ length: SIZE }, normal));
  let unanswered = 0;
  const times = (answer: () => void): number =>
    median(
      vectors.map((vector) => {
        table.setVector((j) => vector[j]!);
        coded?.run({ c: { data: vector, shape: [SIZE] } });
        const started = performance.now();
        answer();
        return performance.now() - started;
      }),
    );
  return {
    ours: async () =>
      times(() => {
        if (coded) coded.items.top(TOP);
        else if (table.top(TOP) === undefined) {
          unanswered++;
          table.score(TOP);
        }
      }),
    theirs: async () => times(() => table.score(TOP)),
    peer: 'the same items in 32 bits',
    threads: 1,
    versions: {},
    facts: () => ({
      'recommendations a turn': TURN,
      ...(coded
        ? { 'bytes of memory': coded.memory.buffer.byteLength }
        : { 'left to 32 bits': unanswered, 'ms to copy the table': Number(median(updates).toPrecision(3)) }),
    }),
  };
}

/** A plan of nothing but items by codes, whose session's vector is its input. */
async function codedItems(items: number) {
  const table = codedTable({ data: new Float32Array(SIZE).fill(1), shape: [items + 1, SIZE] }, 1);
  const m = table.codes.length / (items + 1);
  const c = { at: 16, length: SIZE };
  const codes = { at: 16 + SIZE, length: Math.ceil(table.codes.length / 4) };
  const centroids = { at: codes.at + codes.length, length: table.centroids.length };
  const plan: Plan = {
    size: centroids.at + centroids.length,
    parameters: { 'items.codes': codes, 'items.centroids': centroids },
    literals: [],
    setup: new Int32Array(0),
    programs: [{ variables: [], min: [], max: [], inputs: { c }, results: [c], words: new Int32Array(0), varying: [] }],
    coded: { pieces: { items: m }, items: 'items' },
    items: { n: items, d: SIZE, table: 0, bias: 0 },
  };
  return (await loadProducts())(await loadPlanModule(), plan, () => table);
}
