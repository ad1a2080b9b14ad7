import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../build/built';
import { startProgram } from './start-program';

const LOG = 'session_id,item_id,timestamp\na,x,1\na,y,2\nb,y,3\nb,z,4\n';

/** Runs the built command line with this standard input and a folder for temporary files. */
async function run(argv: readonly string[], input: Uint8Array | string) {
  const temporary = mkdtempSync(join(tmpdir(), 'aisle-test-'));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const preload = `process.env.TMPDIR = process.env.TEMP = ${JSON.stringify(temporary)};`;
  const { child, written, code } = startProgram(join(ROOT, 'dist/cli/aisle.js'), argv, preload);
  child.stdin!.end(input);
  return { code: await code, left: readdirSync(temporary), ...written };
}

test.each([
  ['plain', LOG],
  ['packed', gzipSync(LOG)],
])('a log comes in through a pipe, %s, and nothing of it is left', async (_, input) => {
  const { code, stdout, left } = await run(['inspect', '-', '--json'], input);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ file: '-', sessions: 2, events: 4 });
  expect(left).toEqual([]);
});

test('a bad log through a pipe ends with code 2', async () => {
  const { code, stderr, left } = await run(['inspect', '-'], `${LOG}c,,5\n`);
  expect(stderr).toContain('standard input:6: item_id is empty, expected an id, got nothing.');
  expect({ code, left }).toEqual({ code: 2, left: [] });
});
