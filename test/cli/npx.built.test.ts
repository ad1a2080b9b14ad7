import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plainEnv, ROOT } from '../build/built';

const execute = promisify(execFile);

let cache: string;
let registry: Server;
const asked: string[] = [];
let help: string;

beforeAll(async () => {
  cache = mkdtempSync(join(tmpdir(), 'aisle-npx-'));
  registry = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(404).end();
  });
  await new Promise<void>((listening) => registry.listen(0, '127.0.0.1', listening));
  const env = {
    ...plainEnv(),
    npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
    npm_config_cache: cache,
    npm_config_yes: 'false',
    npm_config_update_notifier: 'false',
    npm_config_ignore_scripts: 'true', // npx would build dist/cli again, which other tests are running
  };
  help = (await execute('npx', ['aisle', '--help'], { cwd: ROOT, env })).stdout;
});

afterAll(() => {
  registry?.close();
  rmSync(cache, { recursive: true, force: true });
});

describe('npx aisle, with an empty cache,', () => {
  test('runs the command of this checkout', () => {
    expect(help).toMatch(/^Usage: aisle /);
    for (const command of ['split', 'train', 'evaluate', 'recommend', 'inspect', 'simulate', 'demo']) {
      expect(help).toContain(`  ${command} `);
    }
  });

  test('asks no registry', () => {
    expect(asked).toEqual([]);
  });
});
