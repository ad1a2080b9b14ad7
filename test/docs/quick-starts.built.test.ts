/** The quick starts, typed as they stand: every line of them, in an empty folder beside the checkout. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test, vi } from 'vitest';
import { built } from '../build/built';
import { isSoak, slice } from '../soak-slice';
import { shellLinesOf } from './manual';

vi.setConfig({ testTimeout: 600_000 }); // trains models, on a machine that may be busy

const PAGES = slice(
  ['README.md', 'docs/quick-start.md', 'docs/researchers.md'],
  (page) => page !== 'README.md', // whose commands are among those of the first quick start
);
const places: string[] = [];
afterAll(() => {
  for (const place of places) rmSync(place, { recursive: true });
});

/** In `npm test` the simulated log is small, and networks learn from it for one epoch. */
function inShort(line: string): string {
  if (isSoak) return line;
  if (/ simulate /.test(line))
    return `${line.replace(/--(items|sessions) \d+/g, '')} --items 30 --sessions 200 --visitors 50`;
  if (/ train (?!.*--help)/.test(line) && !/--epochs/.test(line)) return `${line} --epochs 1`;
  return line;
}

/** Runs a line; a server is stopped once it says where it listens. */
async function type(line: string, cwd: string): Promise<void> {
  const argv = [join(built('cli'), 'aisle.js'), ...line.replace(/^npx aisle\s+/, '').split(/\s+/)];
  if (!/^npx aisle demo/.test(line)) {
    await promisify(execFile)(process.execPath, argv, { cwd });
    return;
  }
  const server = spawn(process.execPath, argv, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise<void>((resolve, reject) => {
      server.stdout.on('data', (text) => /http:\/\/localhost:\d+/.test(String(text)) && resolve());
      server.once('exit', (code) => reject(new Error(`${line}: exit code ${code}`)));
    });
  } finally {
    server.kill();
  }
}

test.each(PAGES)('%s', async (page) => {
  const place = mkdtempSync(join(tmpdir(), 'aisle-quick-start-'));
  places.push(place);
  const lines = shellLinesOf(page)
    .map((line) => line.replace(/\s+#\s.*/, '').trim())
    // `npm` builds and tests the checkout, as this test's own run does; the address is an example.
    .filter((line) => line.startsWith('npx aisle ') && !line.includes('shop.example'));
  expect(lines.length).toBeGreaterThanOrEqual(3);
  for (const line of lines) await type(inShort(line), place);
});
