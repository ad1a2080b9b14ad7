/**
 * Nothing leaves. The whole journey of a visitor, on the built library and the built script to embed, in a real Chromium, on
 * every backend and under a strict security policy: all that goes out are GETs of files, the same for every visitor.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BackendName } from '../../src/engine/engine';
import { built } from '../build/built';
import { ANNA, BEN, type Journey, type JourneyOptions, journey, type Visitor } from './journey';
import {
  leakedActs,
  leaks,
  openWatchedBrowser,
  type Shop,
  STRICT,
  STRICT_WITH_WASM,
  type WatchedBrowser,
} from './watch';

vi.setConfig({ testTimeout: 180_000 });

let browser: WatchedBrowser;
/** Every shop that was visited. */
const shops: Shop[] = [];

beforeAll(async () => {
  await built('lib');
  browser = await openWatchedBrowser();
});
afterAll(() => browser?.context.close());

async function visited(visitor: Visitor, options: JourneyOptions): Promise<Journey> {
  const visit = await journey(browser.context, visitor, options);
  shops.push(visit.shop);
  return visit;
}

/** Every side has seen the visit, else that nothing was found would say nothing. */
function expectWatched({ received, seen, timed, stored, shown }: Journey): void {
  const paths = received.map(({ url }) => url);
  expect(paths).toEqual(expect.arrayContaining(['/', '/lib/worker.js', '/model/weights.safetensors']));
  expect(seen.map(({ from }) => from)).toEqual(expect.arrayContaining(['page', 'worker']));
  expect(timed.map((url) => new URL(url).pathname)).toEqual(
    expect.arrayContaining(['/lib/index.js', '/model/weights.safetensors']),
  );
  expect(stored.indexedDB.some(([, value]) => value.includes('item-'))).toBe(true);
  expect(shown).toHaveLength(20);
}

describe.each<BackendName>(['cpu', 'wasm', 'webgl', 'webgpu'])('on %s', (backend) => {
  test('a visit sends nothing, and two visitors with different histories make the same requests', async () => {
    const [anna, ben] = await Promise.all(
      [ANNA, BEN].map((visitor) => visited(visitor, { backend, csp: STRICT_WITH_WASM })),
    );
    for (const visit of [anna!, ben!]) {
      expectWatched(visit);
      expect(leaks(visit, visit.shop)).toEqual([]);
      expect(visit.thrown).toEqual([]);
      expect(visit.backend).toBe(backend);
    }
    expect(ben!.steps).toEqual(anna!.steps);
    expect(ben!.shown).not.toEqual(anna!.shown);
  });

  test("nor does it without 'wasm-unsafe-eval'", async () => {
    const visit = await visited(BEN, { backend, csp: STRICT });
    expectWatched(visit);
    // A page learns that WebAssembly is forbidden by trying.
    const others = leaks(visit, visit.shop).filter((leak) => !/^the policy forbade.*wasm-eval|WebAssembly/.test(leak));
    expect(others).toEqual([]);
    expect(visit.thrown).toEqual([]);
    expect(visit.backend).toBe(backend === 'wasm' ? 'cpu' : backend);
  });
});

test('the network stack of the browser did nothing else, from the first page to the last', async () => {
  const acts = await browser.close();
  expect(new Set(acts.map(({ kind }) => kind))).toEqual(new Set(['request', 'lookup', 'connection']));
  expect(leakedActs(acts, shops)).toEqual([]);
});
