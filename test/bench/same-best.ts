/**
 * How many of the best 20 items two artifacts of the same items have in common, over random sessions of 1 to 6 clicks:
 *
 *     node test/run.mjs test/bench/same-best.ts DIR OTHER
 */
import { startBackend } from '../../src/compute/backends/start';
import { readArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { wasmPath } from '../../src/pipeline/files/backend';
import { loadScorer } from '../../src/ranking/load-scorer';
import { topK } from '../../src/ranking/top-k';
import { random } from '../../src/session/random';

const SESSIONS = 500;
const TOP = 20;

export async function main(folders: readonly string[]): Promise<void> {
  await startBackend('wasm', { wasmPath: wasmPath() });
  const artifacts = await Promise.all(folders.map(readArtifactFolder));
  const ids = artifacts.map(({ itemIds }) => JSON.stringify(itemIds));
  if (ids.length !== 2 || ids[0] !== ids[1]) throw new Error('Pass the folders of two artifacts of the same items.');
  const [one, other] = await Promise.all(artifacts.map(loadScorer));
  const { integer } = random(1, 'sessions');
  let [common, same, inOrder] = [0, 0, 0];
  for (let s = 0; s < SESSIONS; s++) {
    const items = Array.from({ length: 1 + integer(6) }, () => 1 + integer(one!.items));
    const best = async (scorer: typeof one) => topK(await scorer!.score([{ items }]), TOP).map(({ index }) => index);
    const [mine, theirs] = [await best(one), await best(other)];
    const shared = mine.filter((item) => theirs.includes(item)).length;
    common += shared;
    if (shared === mine.length) same++;
    if (mine.every((item, place) => item === theirs[place])) inOrder++;
  }
  const percent = (count: number): string => `${((100 * count) / SESSIONS).toFixed(1)} %`;
  console.log(`${SESSIONS} sessions: ${(common / SESSIONS).toFixed(2)} of ${TOP} items on average,`);
  console.log(`all of them in ${percent(same)} of the sessions, in the same order in ${percent(inOrder)}.`);
}
