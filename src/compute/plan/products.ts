/**
 * Runs plans whose tables are codes of product quantisation. Items are scored by them. Rows are written out of clicked items
 * alone, except for models that read the item side.
 */
import { type CodedArray, isCoded } from '../../checkpoint/coded-array';
import { CENTROID_COUNT, decodeRows } from '../../checkpoint/product-codes';
import type { NdArray } from '../../types';
import { type Binary, compileFirst } from '../wasm-module';
import { centroidsOf, codesOf, rowsInput } from './coded-names';
import { damaged, type Plan, PlanError } from './plan';
import { BLOCK, checkFinite, type PlanInput, type PlanItems, type RunningPlan, startPlan } from './runtime';

const BINARIES: readonly Binary[] = [{ load: () => import('./binary-products') }];

interface Exports {
  multiply(c: number, m: number, d: number, centroids: number, to: number): void;
  score(
    products: number,
    m: number,
    codes: number,
    bias: number,
    n: number,
    added: number,
    to: number,
    k: number,
    best: number,
  ): number;
}

const GROUP = 32;

/** Fetches what scores by codes. Where plans run, it does, too. */
export async function loadProducts() {
  const products = (await compileFirst(BINARIES))!;
  return (module: WebAssembly.Module, plan: Plan, tensor: (name: string) => NdArray | undefined): RunningPlan =>
    startCoded(module, products, plan, tensor);
}

/** @throws As `startPlan`. */
function startCoded(
  module: WebAssembly.Module,
  products: WebAssembly.Module,
  plan: Plan,
  tensor: (name: string) => NdArray | undefined,
): RunningPlan {
  const { pieces, items: itemTable } = plan.coded!;
  const tables = Object.entries(pieces ?? {}).map(([name, m]) => ({ ...tableOf(name, m, tensor(name)), name }));
  const parts = new Map(
    tables.flatMap(({ name, codes, centroids }) => [
      [codesOf(name), { data: inNumbers(codes) }],
      [centroidsOf(name), { data: centroids }],
    ]),
  );
  const running = startPlan(module, plan, (name) => parts.get(name) ?? tensor(name));
  for (const { centroids } of tables) checkFinite(centroids);
  const inputs = new Set(plan.programs.flatMap((program) => Object.keys(program.inputs)));
  let c = 0;

  function run(given: Readonly<Record<string, PlanInput>>): Float32Array[] {
    const coded = tables.flatMap((table) =>
      Object.entries(given).flatMap(([name, { data, shape }]) => {
        const input = rowsInput(table.name, name);
        return inputs.has(input) ? [[input, { data: rowsAt(data, table), shape: [...shape, table.d] }]] : [];
      }),
    );
    const results = running.run({ ...given, ...Object.fromEntries(coded) });
    c = results[0]!.byteOffset;
    return results;
  }

  const scored = tables.find(({ name }) => name === itemTable);
  if (!scored && itemTable !== undefined) throw damaged('its items have no codes');
  const items = scored ? codedItems(running, products, scored, () => c) : running.items;
  return { ...running, run, items };
}

type Table = Pick<CodedArray, 'codes' | 'centroids'> & {
  readonly rows: number;
  readonly d: number;
  readonly m: number;
};

function tableOf(name: string, m: number, tensor: NdArray | undefined): Table {
  if (!tensor || !isCoded(tensor)) throw new PlanError(`The parameter ${name} has no codes.`);
  const { codes, centroids, shape } = tensor;
  const [rows, d] = shape as [number, number];
  if (codes.length / rows !== m) throw new PlanError(`The parameter ${name} has other codes.`);
  return { codes, centroids, rows, d, m };
}

/** Bytes as numbers of 4 bytes. */
function inNumbers(bytes: Uint8Array): Float32Array {
  const numbers = new Float32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(numbers.buffer).set(bytes);
  return numbers;
}

/** Rows of a table. */
function rowsAt(ids: ArrayLike<number>, { codes, centroids, rows, m }: Table): Float32Array {
  const found = new Uint8Array(ids.length * m);
  for (let i = 0; i < ids.length; i++) {
    const row = ids[i]!;
    if (!(row >= 0 && row < rows)) throw new PlanError(`A table has no row ${row}.`);
    found.set(codes.subarray(row * m, (row + 1) * m), i * m);
  }
  return decodeRows(found, centroids, m);
}

/** @param vector The address of the session's vector. */
function codedItems(
  { plan, memory, grow }: RunningPlan,
  module: WebAssembly.Module,
  { name, codes, centroids, rows, d: width, m }: Table & { readonly name: string },
  vector: () => number,
): PlanItems {
  const { n, d, bias } = plan.items;
  const { [codesOf(name)]: codesPlace, [centroidsOf(name)]: centroidsPlace } = plan.parameters;
  if (!codesPlace || !centroidsPlace) throw damaged('it has no codes');
  if (!(rows > n && width === d) || bias + n > plan.size) throw damaged('it has other items');
  const { multiply, score } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const address = (at: number): number => 4 * (BLOCK + at);
  const codesAt = address(codesPlace.at) + m; // row 0 is padding
  const centroidsAt = address(centroidsPlace.at);
  const biasAt = bias > 0 ? address(bias) : 0;
  const biases = () => (bias > 0 ? new Float32Array(memory.buffer, biasAt, n) : undefined);
  checkFinite(biases() ?? new Float32Array(0));
  let own = 0;
  let room = 0;

  /** Where the answer is, and how many were found. @param k 0: all scores. */
  function answer(k: number, added: ReadonlyMap<number, number> = new Map()) {
    const list = 4 * CENTROID_COUNT * m;
    const best = list + 8 * (added.size + 1);
    const scores = best + 8 * k;
    const bytes = scores + 4 * GROUP * (k > 0 ? 1 : Math.ceil(n / GROUP));
    if (bytes > room) {
      const more = Math.max(bytes, 2 * room); // the former room is lost
      [own, room] = [grow(more), more];
    }
    const view = new DataView(memory.buffer, own + list);
    const sorted = [...added].filter(([column]) => column >= 0 && column < n).sort(([a], [b]) => a - b);
    for (const [i, [column, more]] of [...sorted, [n, 0] as const].entries()) {
      view.setInt32(8 * i, column, true);
      view.setFloat32(8 * i + 4, more, true);
    }
    multiply(vector(), m, d, centroidsAt, own);
    const found = score(own, m, codesAt, biasAt, n, own + list, own + scores, k, own + best);
    return { best: own + best, scores: own + scores, found };
  }

  return {
    scores(added) {
      const { scores } = answer(0, added); // the memory may grow
      return new Float32Array(memory.buffer, scores, n);
    },
    top(most, added) {
      const k = Math.min(most, n);
      const { best, found } = answer(k, added);
      return {
        columns: new Int32Array(memory.buffer, best + 4 * k, found),
        scores: new Float32Array(memory.buffer, best, found),
      };
    },
    read: () => ({
      table: decodeRows(codes.subarray(m, m * (n + 1)), centroids, m),
      bias: biases()?.slice() ?? new Float32Array(n),
    }),
    free() {},
  };
}
