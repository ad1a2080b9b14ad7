/** `files.json` of the built script to embed, by which `aisle doctor` tells whether a copy is whole and of one version. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Diagnosis } from '../../src/cli/doctor/doctor';
import { aisle, folder } from '../cli/program';
import { html, serveEmbed } from '../ui/embed-window';
import { built } from './built';

const embed = built('embed');
const listed = Object.keys(JSON.parse(readFileSync(join(embed, 'files.json'), 'utf8')).files as object);

async function doctor(target: string) {
  const { code, stdout } = await aisle('doctor', target, '--json');
  const { findings } = JSON.parse(stdout) as Diagnosis;
  return { code, said: findings.map((one) => `${one.severity} ${one.code}`) };
}

test('every script and WASM file is listed, and found whole', async () => {
  const files = readdirSync(embed, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  expect(listed.sort()).toEqual(files.filter((name) => /\.(js|wasm)$/.test(name)).sort());
  expect(await doctor(embed)).toEqual({ code: 0, said: ['ok embed'] });
});

test('a copy that lacks a chunk, or has a worker of another version, is found out', async () => {
  const copy = join(await folder(), 'aisle');
  cpSync(embed, copy, { recursive: true });
  rmSync(join(copy, listed.find((name) => name.startsWith('page-'))!));
  expect(await doctor(copy)).toEqual({ code: 3, said: ['error missing'] });
  cpSync(embed, copy, { recursive: true });
  writeFileSync(join(copy, 'worker.js'), `${readFileSync(join(copy, 'worker.js'), 'utf8')} `);
  expect(await doctor(copy)).toEqual({ code: 3, said: ['error other-version'] });
});

test('a page of the demo’s model is in order, but that its server has hashed files asked for again', async () => {
  const server = await serveEmbed();
  onTestFinished(() => server.close());
  server.serve('/page.html', html('<aisle-recommendations></aisle-recommendations>'));
  const { code, said } = await doctor(`${server.origin}/page.html`);
  expect(code).toBe(0);
  expect(said).toEqual(['warning cache-short', 'ok embed', 'ok model', 'ok policy']);
});
