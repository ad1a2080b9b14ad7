import type { Browser } from 'playwright-core';
import { models } from '../../../src/models/index';
import { launchChromium } from '../../chromium';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../figures';
import { CLICKS, OTHER_CLICKS } from '../peer-network';
import { SESSION, servePeers } from '../peer-site';

const ANSWERS = 40;

/**
 * Answers of a page in Chromium whose model is ready, from the call to the list, as the worker gives them: by the plan, beside
 * TensorFlow.js' WASM with our kernels.
 */
export const cases: readonly BenchCase[] = Object.keys(models).map((name) => ({
  name: `infer-page-${name}`,
  unit: 'ms',
  runs: 10,
  warmup: 1,
  open: () => open(name),
}));

async function open(name: string): Promise<OpenCase> {
  const pages = { '/plan.html': pageOf(name, 'plan'), '/wasm.html': pageOf(name, 'wasm') };
  const [browser, site] = await Promise.all([
    launchChromium(),
    servePeers(pages, sharedPath('peers'), 'max-age=3600', name),
  ]);
  const loads: Record<'plan' | 'wasm', number[][]> = { plan: [], wasm: [] };
  const load = async (side: keyof typeof loads): Promise<number> => {
    const times = await answersOf(browser, `${site.origin}/${side}.html`);
    loads[side].push(times);
    return median(times);
  };
  const nth = (side: keyof typeof loads, n: number): number =>
    Number(median(loads[side].slice(1).map((times) => times[n - 1]!)).toPrecision(3));
  return {
    ours: () => load('plan'),
    theirs: () => load('wasm'),
    peer: "TensorFlow.js' WASM with our kernels",
    threads: 1,
    versions: { Chromium: browser.version() },
    facts: () => ({
      'recommendations a page': ANSWERS,
      'first answer, ms': nth('plan', 1),
      'fifth answer, ms': nth('plan', 5),
      'first answer of the peer, ms': nth('wasm', 1),
      'fifth answer of the peer, ms': nth('wasm', 5),
    }),
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

async function answersOf(browser: Browser, address: string): Promise<number[]> {
  const page = await browser.newPage();
  try {
    await page.goto(address);
    const found = await page.waitForFunction(() => (globalThis as { found?: number[] }).found, null, {
      timeout: 120_000,
    });
    return (await found.jsonValue())!;
  } finally {
    await page.context().close();
  }
}

const pageOf = (name: string, backend: string): string => `<!doctype html><title>Answers</title><script type="module">
  import { createRecommender } from '/lib/index.js';
  const recommender = await createRecommender({ modelUrl: '/model/', backend: '${backend}' });
  if (!recommender.status.model) await new Promise((resolve) => recommender.on('ready', resolve));
  for (const item of ${JSON.stringify(SESSION.slice(0, CLICKS[name] ?? OTHER_CLICKS))}) recommender.track(String(item));
  await recommender.privacy.export(); // waits until they are stored, which is no part of an answer
  const times = [];
  for (let i = 0; i < ${ANSWERS}; i++) {
    const start = performance.now();
    const [first] = await recommender.recommend({ k: 20 });
    times.push(performance.now() - start);
    if (first.reason !== 'neural') throw new Error('The first item is ' + first.reason + '.');
  }
  globalThis.found = times;
</script>`;
