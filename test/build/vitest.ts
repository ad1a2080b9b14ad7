/** The test projects: Node, a page in the system's Chromium, and the built files in the browsers of three engines. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { playwright } from '@vitest/browser-playwright';
import type { ViteUserConfig } from 'vitest/config';
import { INLINED } from '../../src/build/node.ts';
import { CHROMIUM_FLAGS, findChromium } from '../chromium.ts';

/** Models trained in Node, with Node's answers, in a folder that the test server serves; made when a test asks. */
async function makeParity(): Promise<string> {
  const folder = 'dist/test-models/parity';
  const argv = ['test/run.mjs', 'test/engine/parity-models.ts', folder];
  // Without the test's own mode: the script is a program of its own.
  const { NODE_ENV, VITEST, MODE, DEV, PROD, SSR, TEST, ...env } = process.env;
  await promisify(execFile)(process.execPath, argv, { cwd: resolve(import.meta.dirname, '../..'), env });
  return folder;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Rounds of the randomised tests; 0: those of `npm test`. A page has no environment to read it from. */
    SOAK: number;
  }
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    makeParity: () => ReturnType<typeof makeParity>;
  }
}

export const tests: NonNullable<ViteUserConfig['test']> = {
  // The browser gets its turn after Node, and one page at a time. Every file may drive a browser of its own: with more than
  // four side by side, they wait for each other.
  maxWorkers: Math.min(4, Math.max(2, availableParallelism())),
  testTimeout: 30_000,
  hookTimeout: 300_000,
  // What is waited for comes sooner or later; how soon is up to what else the machine does.
  expect: { poll: { timeout: 20_000 } },
  projects: [
    {
      extends: true,
      test: {
        name: 'node',
        include: ['test/**/*.test.ts'],
        exclude: ['test/browser/**', 'test/engines/**'],
        environment: 'node',
        sequence: { groupOrder: 0 },
        server: { deps: { inline: INLINED } },
      },
    },
    {
      extends: true,
      test: {
        name: 'browser',
        include: ['test/browser/**/*.test.ts'],
        globalSetup: ['test/browser/require-chromium.ts'],
        provide: { SOAK: Number(process.env['SOAK'] ?? 0) },
        fileParallelism: false,
        sequence: { groupOrder: 1 },
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          provider: playwright({
            launchOptions: { executablePath: findChromium() ?? 'chromium', args: [...CHROMIUM_FLAGS] },
          }),
          commands: { makeParity },
          instances: [{ browser: 'chromium' }],
        },
      },
    },
    {
      extends: true,
      test: {
        name: 'engines',
        include: ['test/engines/**/*.test.ts'],
        globalSetup: ['test/browser/require-chromium.ts', 'test/engines/name-missing.ts'],
        environment: 'node',
        sequence: { groupOrder: 2 },
      },
    },
  ],
};
