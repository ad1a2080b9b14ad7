import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { folder } from '../cli/program';
import { withLock } from './lock';

let place: string;
let lock: string;
beforeEach(async () => {
  place = await folder();
  lock = join(place, 'lock');
});

/** A process that lives until it is killed. */
const other = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);

test('a lock is held while the work lasts, and free after it, whether it succeeds or fails', async () => {
  const work = () => readFileSync(lock, 'utf8');
  expect(await withLock(lock, work, () => {})).toBe(`${process.pid}`);
  const failing = () => {
    throw new Error('no');
  };
  await expect(withLock(lock, failing, () => {})).rejects.toThrow('no');
  expect(readdirSync(place)).toEqual([]);
});

test("a lock of long ago is free, although another process has its owner's number by now", async () => {
  writeFileSync(lock, `${process.pid}`);
  utimesSync(lock, 0, 0);
  const said: string[] = [];
  const abandoned = () => void said.push('abandoned');
  await withLock(lock, () => said.push('worked'), abandoned);
  expect(said).toEqual(['abandoned', 'worked']);
});

test('whoever comes while a process holds the lock waits until it is free, or until its owner is killed', async () => {
  const owner = other();
  writeFileSync(lock, `${owner.pid}`);
  const said: string[] = [];
  const waiting = ['first', 'second'].map((name) =>
    withLock(
      lock,
      () => said.push(name),
      () => said.push('abandoned'),
    ),
  );
  await new Promise((next) => setTimeout(next, 300));
  expect({ said, isHeld: existsSync(lock) }).toEqual({ said: [], isHeld: true });
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await Promise.all(waiting);
  expect(said).toEqual(['abandoned', expect.any(String), expect.any(String)]);
  expect(new Set(said)).toEqual(new Set(['abandoned', 'first', 'second']));
  expect(readdirSync(place)).toEqual([]);
});
