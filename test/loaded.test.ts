import { afterEach, expect, test, vi } from 'vitest';
import { loaded } from '../src/loaded';

afterEach(() => vi.useRealTimers());

test('a part of the library that never comes is an error after half a minute, as one that cannot be fetched', async () => {
  vi.useFakeTimers();
  const late = expect(loaded(new Promise(() => {}))).rejects.toMatchObject({ code: 'io' });
  await vi.advanceTimersByTimeAsync(30_000);
  await late;
  await expect(loaded(Promise.reject(new TypeError('Failed to fetch')), 'counting')).rejects.toMatchObject({
    code: 'io',
    message: 'The code of counting could not be loaded: Failed to fetch. Try again.',
  });
  expect(await loaded(Promise.resolve(1))).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});
