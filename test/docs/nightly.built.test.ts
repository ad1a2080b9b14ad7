/** `docs/scale/nightly.sh` as it stands: what it publishes, what it keeps, and how to roll back. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { built } from '../build/built';
import { blocksOf, ROOT } from './manual';

vi.setConfig({ testTimeout: 300_000 }); // trains models, on a machine that may be busy

const place = mkdtempSync(join(tmpdir(), 'aisle-nightly-'));
afterAll(() => rmSync(place, { recursive: true }));
const web = join(place, 'web');
const aisle = join(built('cli'), 'aisle.js');

/** A shell in which `npx aisle` is that of the checkout. */
function shell(command: string): Promise<{ readonly code: number; readonly output: string }> {
  const bin = join(place, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${aisle}" "$@"\n`);
  chmodSync(join(bin, 'npx'), 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  return new Promise((resolve) => {
    execFile('sh', ['-e', '-c', command], { cwd: place, env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
    );
  });
}

/** A day of visitors who walk a ring of 12 items, also a new one from the third day on; backwards, what they do means nothing. */
function day(number: number, step = 1): void {
  const rows = Array.from({ length: 120 }, (_, s) =>
    Array.from({ length: 5 }, (_, t) => {
      const items = number < 3 ? 12 : 13;
      const item = (s * 7 + t * step + items * 10) % items;
      return `d${number}s${s},i${item},${1_700_000_000 + 86_400 * number + 700 * s + t}\n`;
    }),
  );
  mkdirSync(join(place, 'events'), { recursive: true });
  writeFileSync(join(place, `events/day-${number}.csv`), `session_id,item_id,timestamp\n${rows.flat().join('')}`);
}

const live = () => readFileSync(join(web, 'live'), 'utf8').trim();
const manifest = (dir: string) => JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
const night = () => shell(`rm -f nightly/*/published; sh ${join(ROOT, 'docs/scale/nightly.sh')} events web`);

test('publishes a model that knows the newest day, keeps the live one where the new one is worse, and is rolled back', async () => {
  day(1);
  day(2);
  const settings = '--preset none --set layers=16 --set batchSize=16 --set nSample=0 --set learningRate=0.1 --seed 3';
  const first = await shell(`npx aisle train --data events --model gru4rec --out first --epochs 6 ${settings}`);
  expect(first.code, first.output).toBe(0);
  const { version } = manifest(join(place, 'first'));
  mkdirSync(join(web, version), { recursive: true });
  await shell(`cp first/*.[bjs]* web/${version}`);
  writeFileSync(join(web, 'live'), `${version}\n`);

  day(3);
  const good = await night();
  expect(good.code, good.output).toBe(0);
  expect(live()).not.toBe(version);
  const published = manifest(join(web, live()));
  expect(published).toMatchObject({ items: 13, training: { refit: { items: 13, events: 1800 } } });
  expect(published.training.command).toContain(`--from ${version}`);
  expect(readdirSync(join(web, live())).filter((name) => !Object.hasOwn(published.files, name))).toEqual([
    'manifest.json',
  ]);
  const again = await shell(`sh ${join(ROOT, 'docs/scale/nightly.sh')} events web`);
  expect(again).toEqual({ code: 1, output: "tonight's model is published already\n" });

  const before = live();
  for (const number of [1, 2, 3]) day(number, -1); // the log has lost its order
  day(4);
  const bad = await night();
  expect(bad.code, bad.output).toBe(3);
  expect(bad.output).toContain('gru4rec is worse than web/');
  expect([live(), existsSync(join(web, '.new'))]).toEqual([before, false]);

  const rollBack = blocksOf('docs/scale.md').find(({ code }) => code.includes('> /srv/www/models/live'))!;
  const line = rollBack.code.replaceAll('/srv/www/models', web).replaceAll('VERSION', version);
  expect((await shell(line)).code).toBe(0);
  expect([live(), manifest(join(web, live())).version]).toEqual([version, version]);
});
