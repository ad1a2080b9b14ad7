import { expect, test } from 'vitest';
import { type ThreadMessage, type ThreadTask, trainBeside } from '../../src/pipeline/threads';
import type { FitState } from '../../src/train/fit';

/** A state after so many epochs, with nothing else in it. */
const after = (epochs: number) => ({ epochs: Array.from({ length: epochs }) }) as unknown as FitState;

/** @param most States that are kept. */
function opened(most = 10) {
  let say: (message: ThreadMessage) => void = () => {};
  let isEnded = false;
  const beside = trainBeside(
    (_, listen) => {
      say = listen;
      return () => {
        isEnded = true;
      };
    },
    {} as ThreadTask,
    most,
  );
  return {
    beside,
    say: (message: ThreadMessage) => say(message),
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

test('a thread ends once the epoch is reached that was chosen, or where it is far ahead', async () => {
  const chosen = opened();
  chosen.epoch(1);
  chosen.beside.endAfter(2);
  expect(chosen.isEnded()).toBe(false);
  chosen.epoch(2);
  expect(chosen.isEnded()).toBe(true);
  expect(await chosen.beside.after(2, 1)).toEqual(after(2));

  const late = opened();
  for (const n of [1, 2, 3]) late.epoch(n);
  late.beside.endAfter(2);
  expect(late.isEnded()).toBe(true);
  expect(await late.beside.after(2, 0)).toEqual(after(2));

  const ahead = opened(2);
  for (const n of [1, 2, 3]) ahead.epoch(n);
  expect(ahead.isEnded()).toBe(true);
  expect(await ahead.beside.after(5, 0)).toEqual(after(3));
  expect(await ahead.beside.after(5, 3)).toBeUndefined(); // who wants more goes on from there
});

test('how far it is, is told to whoever listens', () => {
  const { beside, say } = opened();
  const progress = { epoch: 1, step: 2, steps: 3, loss: 0.5 };
  say({ state: 'progress', progress });
  const heard: unknown[] = [];
  beside.onProgress = (one) => void heard.push(one);
  say({ state: 'progress', progress });
  expect(heard).toEqual([progress]);
});
