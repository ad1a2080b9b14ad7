/**
 * The golden files on the GPU backends, in headless Chromium. A GPU in software takes minutes for all of them, so that
 * `npm test` asks two; `npm run soak` asks all, in Node's WebGPU too.
 */
import { expect, test } from 'vitest';
import { startBackend } from '../../src/compute/backends/start';
import { registerTraining } from '../../src/compute/training';
import { webgpuOfNode } from '../../src/pipeline/files/backend';
import { GOLDEN } from '../shared';
import { isSoak, slice } from '../soak-slice';
import { goldenInChromium } from './golden/chromium';
import { goldenFiles, runGolden } from './golden/run';

const TIMEOUT = isSoak ? 1_800_000 : 300_000;

const all = goldenFiles(GOLDEN).filter((name) => name.endsWith('.safetensors'));

/**
 * What reaches most kernels: an optimiser's steps, padding. In `npm test` gpu-engine.test.ts trains GRU4Rec, parity.test.ts asks Caser
 * and CL4SRec, and gpu-kernels.test.ts multiplies with long sums.
 */
const FEW: Record<'webgl' | 'webgpu', readonly string[]> = {
  webgl: ['sasrec-classic2020'],
  webgpu: ['srgnn-step1'],
};
const askedOn = (backend: keyof typeof FEW) =>
  slice(all, (name) => FEW[backend].some((few) => name === `${few}.safetensors`));

test('the golden files are all here', () => {
  expect(all).toHaveLength(30);
  expect(askedOn('webgl')).toHaveLength(isSoak ? 30 : 1);
  expect(askedOn('webgpu')).toHaveLength(isSoak ? 30 : 1);
});

test.each(['webgl', 'webgpu'] as const)(
  'golden files are ok on %s in a page, every tensor compared',
  async (backend) => {
    const asked = askedOn(backend);
    const rows = [];
    for await (const row of goldenInChromium(GOLDEN, asked, backend)) rows.push(row);
    expect(rows.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(rows.map(({ file }) => file)).toEqual(asked);
    for (const { file, compared, total } of rows) {
      expect(compared, file).toBe(total);
      expect(total, file).toBeGreaterThan(4);
    }
  },
  TIMEOUT,
);

test.each(isSoak ? all : [])(
  '%s is ok on webgpu in Node',
  async (name) => {
    await startBackend('webgpu', { webgpu: await webgpuOfNode() });
    await registerTraining();
    expect(await runGolden(GOLDEN, name, true)).toMatchObject({ file: name, state: 'ok' });
  },
  TIMEOUT,
);
