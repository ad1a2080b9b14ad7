import { expect, test } from 'vitest';
import { type ThreadMessage, type ThreadTask, trainBeside } from '../../src/pipeline/threads';
import type { FitState } from '../../src/train/fit';

/** A state after so many epochs, with nothing else in it. */
const after = (epochs: number) => ({ epochs: Array.from({ length: epochs }) }) as unknown as FitState;

function opened() {
  let say: (message: ThreadMessage) => void = () => {};
  let isEnded = false;
  const beside = trainBeside((_, listen) => {
    say = listen;
    return () => {
      isEnded = true;
    };
  }, {} as ThreadTask);
  return {
    beside,
    epoch: (n: number) => say({ state: 'epoch', fit: after(n) }),
    fail: () => say({ state: 'failed', message: 'no memory' }),
    isEnded: () => isEnded,
  };
}

test('the state that is asked for is handed over once its epoch has ended, or an earlier one that is news', async () => {
  const { beside, epoch, isEnded } = opened();
  const first = beside.after(2, 0);
  epoch(1);
  expect(await first).toEqual(after(1));
  const second = beside.after(2, 1);
  epoch(2);
  epoch(3);
  expect(await second).toEqual(after(2));
  beside.end();
  expect(isEnded()).toBe(true);
});

test('states before the best epoch are forgotten, but for the latest', async () => {
  const { beside, epoch } = opened();
  epoch(1);
  epoch(2);
  beside.forgetBefore(2);
  expect(await beside.after(1, 0)).toBeUndefined();
  beside.forgetBefore(4);
  expect(await beside.after(4, 0)).toEqual(after(2));
  epoch(3);
  expect(await beside.after(2, 0)).toBeUndefined();
  expect(await beside.after(4, 2)).toEqual(after(3));
  epoch(4);
  epoch(5);
  expect(await beside.after(4, 3)).toEqual(after(4));
});

test('a thread that fails is heard of by who waits, and after that; what it has reached stays', async () => {
  const { beside, epoch, fail } = opened();
  epoch(1);
  const waiting = beside.after(2, 1);
  fail();
  await expect(waiting).rejects.toMatchObject({
    code: 'engine-lost',
    message: 'A thread of the training failed: no memory',
  });
  expect(await beside.after(2, 0)).toEqual(after(1));
  await expect(beside.after(2, 1)).rejects.toMatchObject({ code: 'engine-lost' });
});
