import { expect, test } from 'vitest';
import { createLocalEngine } from '../../src/engine/local-engine';
import { wasmPath } from '../compute/backends/start';
import { folderOf, MODEL_URL, SESSIONS, serveFolder, smallModel } from './fixture';
import stored from './small-model-answers.json';

// The file holds Node's answers on the plain CPU; test/browser compares those of a page with them. Where the model
// changes on purpose, store the new `answers`.
test.each(['cpu', 'wasm'] as const)('the small model gives the answers that are stored, on %s', async (backend) => {
  const engine = createLocalEngine({ fetchFile: serveFolder(await folderOf(await smallModel())), wasmPath });
  await engine.load({ modelUrl: MODEL_URL, backend });
  const answers: Record<string, unknown> = {};
  for (const [name, session] of Object.entries(SESSIONS)) {
    const { items } = await engine.recommend({ session, k: 20, exclude: [] });
    answers[name] = items.map(({ score, ...item }) => ({ ...item, score: Number(score.toFixed(5)) }));
  }
  await engine.dispose();
  for (const [name, items] of Object.entries(stored as Record<string, { score: number }[]>)) {
    const got = answers[name] as typeof items;
    expect(got.map(({ score, ...item }) => item)).toEqual(items.map(({ score, ...item }) => item));
    for (const [i, { score }] of items.entries()) expect(Math.abs(got[i]!.score - score)).toBeLessThan(1e-4);
  }
});
