import { expect, test } from 'vitest';
import { activeOf } from '../../src/studio/serving';

/** A service worker in a state, which changes. */
class Worker extends EventTarget {
  constructor(public state: ServiceWorkerState) {
    super();
  }

  become(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}
const registration = (one: Partial<Record<'installing' | 'waiting' | 'active', Worker>>) =>
  one as unknown as ServiceWorkerRegistration;

test('waits until the newest service worker answers', async () => {
  await activeOf(registration({ active: new Worker('activated') }));
  const installing = new Worker('installing');
  const isActive = activeOf(registration({ installing, active: new Worker('activated') }));
  installing.become('installed');
  expect(await Promise.race([isActive, 'waiting'])).toBe('waiting');
  installing.become('activated');
  await expect(isActive).resolves.toBeUndefined();
});

test('says so where it never will', async () => {
  const message = /The browser has not started what hands the model to the demo shop/;
  const installing = new Worker('installing');
  const isActive = activeOf(registration({ installing }));
  installing.become('redundant');
  await expect(isActive).rejects.toThrow(message);
  await expect(activeOf(registration({ active: new Worker('redundant') }))).rejects.toThrow(message);
  await expect(activeOf(registration({}))).rejects.toThrow(message);
});
