import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { devDependencies } from '../../../package.json';
import { packArtifact } from '../../../src/checkpoint/pack';
import { PRECISIONS, type Precision, packTensors } from '../../../src/checkpoint/pack-tensors';
import { unpackTensors } from '../../../src/checkpoint/precision';
import { run } from '../../../src/compute/executor';
import { compileArtifact } from '../../../src/ranking/compile-plan';
import { NAMELESS } from '../../../src/ranking/load-scorer';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { PEER_ITEMS, randomNetwork, timedNetwork } from '../peer-network';

const ITEMS = [PEER_ITEMS, 100_000];

/** What a page downloads of a SASRec of 64 numbers: manifest, weights, ids and plan, by the weights' precision. */
export const cases: readonly BenchCase[] = ITEMS.flatMap((items) =>
  PRECISIONS.map((precision) => ({
    name: `size-${items / 1000}k-${precision}`,
    unit: 'MB, Brotli 9',
    runs: 1,
    warmup: 0,
    open: () => open(items, precision),
  })),
);

const compressed = (bytes: Uint8Array): number =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length;
const megabytes = (bytes: number): number => Number((bytes / 1e6).toPrecision(3));

async function open(items: number, precision: Precision): Promise<OpenCase> {
  const folder = sharedPath('peers');
  const files = await filesOf(items, precision, folder);
  const onnx = folder && items === PEER_ITEMS ? readFileSync(join(folder, 'sasrec-10k.onnx')) : undefined;
  const sum = (size: (bytes: Uint8Array) => number): number =>
    [...files.values()].reduce((total, bytes) => total + size(bytes), 0);
  return {
    ours: async () => sum(compressed) / 1e6,
    ...(onnx && { theirs: async () => compressed(onnx) / 1e6 }),
    peer: onnx ? 'the same weights as an ONNX model' : 'no peer of this size',
    threads: 1,
    versions: { 'onnxruntime-web': devDependencies['onnxruntime-web'] },
    facts: () => ({
      'MB of all files': megabytes(sum(({ length }) => length)),
      ...Object.fromEntries(
        [...files].map(([name, bytes]) => [`MB of ${name}, Brotli 9`, megabytes(compressed(bytes))]),
      ),
    }),
  };
}

async function filesOf(items: number, precision: Precision, folder: string | undefined) {
  const { config, weights } = await (items === PEER_ITEMS
    ? timedNetwork('sasrec', folder)
    : randomNetwork('sasrec', { hiddenUnits: 64, maxlen: 50 }, items));
  const support = Int32Array.from({ length: items + 1 }, (_, item) => Math.ceil((10 * items) / (item + 10)));
  const tensors = { ...weights, 'catalogue.support': { data: support, shape: [items + 1] } };
  const golden = { session: [1], top: [] };
  const info = { ...NAMELESS, architecture: 'sasrec', config: { ...config }, items, golden };
  const artifact = { info, itemIds: Array.from({ length: items }, (_, k) => `sku-${k + 1}`), tensors };
  const written = { ...artifact, tensors: await unpackTensors(await packTensors(tensors, precision), 'weights') };
  const plan = await run(async (slice) => compileArtifact(written, await slice.start('cpu')));
  return packArtifact({ ...written, plan }, { precision });
}
