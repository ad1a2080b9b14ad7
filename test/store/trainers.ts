import { expect, test } from 'vitest';
import type { asOneTrainer, StillAlone } from '../../src/store/one-trainer';

type Trains = <T>(
  work: (stillAlone: StillAlone) => Promise<T>,
  options?: Partial<Parameters<typeof asOneTrainer>[0]>,
) => Promise<T>;

/** Work that lasts until `end` is called. */
function lasting() {
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { over, end };
}

/** One tab learns at a time, by locks and by a lease. */
export function testTrainers(trains: Trains): void {
  test('two learn one after the other, and the second says that it waits', async () => {
    const said: string[] = [];
    const { over, end } = lasting();
    const first = trains(async () => {
      said.push('first begins');
      await over;
      said.push('first ends');
    });
    await expect.poll(() => said).toEqual(['first begins']);
    const second = trains(async () => void said.push('second begins'), { onWaiting: () => said.push('second waits') });
    await expect.poll(() => said).toEqual(['first begins', 'second waits']);
    end();
    await Promise.all([first, second]);
    expect(said).toEqual(['first begins', 'second waits', 'first ends', 'second begins']);
  });

  test('what fails gives way to the next, which is alone as long as it works', async () => {
    await expect(trains(() => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck');
    expect(await trains(async (stillAlone) => stillAlone())).toBe(true);
  });

  test('who waits can be called off', async () => {
    const { over, end } = lasting();
    const first = trains(() => over);
    const abort = new AbortController();
    const second = trains(async () => 'it runs', { signal: abort.signal, onWaiting: () => abort.abort() });
    await expect(second).rejects.toThrow(expect.objectContaining({ code: 'aborted' }));
    end();
    await first;
  });
}
