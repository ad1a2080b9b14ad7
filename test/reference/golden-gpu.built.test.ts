/**
 * The golden files on the GPU backends, in headless Chromium. A GPU in software takes minutes for all of them, so that
 * `npm test` asks one of each architecture; `npm run soak` asks all, in Node's WebGPU too.
 */
import { expect, test } from 'vitest';
import { startBackend } from '../../src/compute/backends/start';
import { registerTraining } from '../../src/compute/training';
import { webgpuOfNode } from '../../src/pipeline/files/backend';
import { GOLDEN } from '../shared';
import { goldenInChromium } from './golden/chromium';
import { goldenFiles, runGolden } from './golden/run';

const isSoak = Number(process.env['SOAK'] ?? 0) > 0;
const TIMEOUT = isSoak ? 1_800_000 : 300_000;

const all = goldenFiles(GOLDEN).filter((name) => name.endsWith('.safetensors'));

/** Of each the file that reaches most kernels: an optimiser's steps, padding, sums of 3,072 terms. */
const FEW = [
  'gru4rec-fit-bprmax-separate',
  'sasrec-classic2020',
  'srgnn-step1',
  'caser',
  'cl4srec-encoder',
  't4r-bert-mlm-intermediate3072',
].map((name) => `${name}.safetensors`);
const asked = isSoak ? all : all.filter((name) => FEW.includes(name));

test('the golden files are all here', () => {
  expect(asked).toHaveLength(isSoak ? 30 : FEW.length);
});

test.each(['webgl', 'webgpu'] as const)(
  'golden files are ok on %s in a page, every tensor compared',
  async (backend) => {
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

test.each(isSoak ? asked : [])(
  '%s is ok on webgpu in Node',
  async (name) => {
    await startBackend('webgpu', { webgpu: await webgpuOfNode() });
    await registerTraining();
    expect(await runGolden(GOLDEN, name, true)).toMatchObject({ file: name, state: 'ok' });
  },
  TIMEOUT,
);
