import { expect, onTestFinished, test, vi } from 'vitest';
import { openBench } from '../../src/studio/client';

test('once the worker has ended, what waits and every later call is rejected in the same words', async () => {
  const worker = { postMessage: vi.fn(), onerror: undefined as ((event: { message: string }) => void) | undefined };
  vi.stubGlobal('Worker', function Worker() {
    return worker;
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const onLost = vi.fn();
  const bench = openBench(() => {}, onLost);
  const waiting = bench.models();
  worker.onerror!({ message: 'out of memory' });
  worker.onerror!({ message: 'again' });
  const why = 'The studio’s worker has ended: out of memory. Open the page again.';
  await expect(waiting).rejects.toMatchObject({ code: 'engine-lost', message: why });
  const later = bench.count();
  expect(worker.postMessage).toHaveBeenCalledTimes(1);
  await expect(later).rejects.toMatchObject({ code: 'engine-lost', message: why });
  expect(onLost.mock.calls).toEqual([[why]]);
});
