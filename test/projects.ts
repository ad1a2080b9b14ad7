/**
 * The test projects: `unit` runs the sources in Node, `built` the built files in Node and in pages of one Chromium, `browser` the
 * sources inside a page, `engines` the built files in the browsers of three engines.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { playwright } from '@vitest/browser-playwright';
import type { ViteUserConfig } from 'vitest/config';
import { INLINED } from '../src/build/node.ts';
import { CHROMIUM_FLAGS, findHeadlessShell } from './chromium.ts';
import { SlowestFiles } from './slowest-files.ts';

/** Models trained in Node, with Node's answers, in a folder that the test server serves; made when a test asks. */
async function makeParity(): Promise<string> {
  const folder = 'dist/test-models/parity';
  const argv = ['test/run.mjs', 'test/engine/parity-models.ts'];
  // Without the test's own mode: the script is a program of its own.
  const { NODE_ENV, VITEST, MODE, DEV, PROD, SSR, TEST, ...env } = process.env;
  await promisify(execFile)(process.execPath, argv, { cwd: resolve(import.meta.dirname, '..'), env });
  return folder;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the test run's Chromium listens. */
    chromium: string;
    /** Rounds of the randomised tests; 0: those of `npm test`. A page has no environment to read it from. */
    SOAK: number;
  }
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    makeParity: () => ReturnType<typeof makeParity>;
  }
}

/** Tests of the built files, most of them in pages. */
const BUILT = ['build', 'demo', 'privacy', 'ui']
  .map((folder) => `test/${folder}/**/*.test.ts`)
  .concat('test/**/*.built.test.ts');

/** Tests that need a process of their own. */
const ISOLATED = [
  // Switches on instructions of WebAssembly for the whole process, which change the last digits of what other files compute.
  'test/compute/kernels/simd.test.ts',
  // Leaves a constant among the globals.
  'test/element-start.test.ts',
  // Has an engine without SIMD.
  'test/models/without-simd.test.ts',
  // Registers an architecture before the command line is loaded.
  'test/seventh-architecture.test.ts',
];

/** Rounds of the randomised tests; 0: those of `npm test`. */
const SOAK = Number(process.env['SOAK'] ?? 0);

/** Without isolation the files that a process runs share its modules, which load once. */
const inNode = {
  environment: 'node',
  isolate: false,
  setupFiles: ['test/set-up/fresh-engine.ts', ...(SOAK > 0 ? ['test/set-up/count-tries.ts'] : [])],
  server: { deps: { inline: INLINED } },
} satisfies ViteUserConfig['test'];

export const tests: NonNullable<ViteUserConfig['test']> = {
  // All projects run side by side. One worker more than cores, since some tests wait for a clock; two more are no faster.
  maxWorkers: Math.min(4, availableParallelism()) + 1,
  testTimeout: SOAK > 0 ? 1_200_000 : 60_000,
  hookTimeout: 300_000,
  // A test that asserts nothing fails. What is waited for comes sooner or later; how soon is up to what else the machine does.
  expect: { requireAssertions: true, poll: { timeout: 20_000 } },
  reporters: ['default', new SlowestFiles()],
  provide: { SOAK },
  projects: [
    {
      extends: true,
      test: {
        ...inNode,
        name: 'unit',
        include: ['test/**/*.test.ts'],
        exclude: [...BUILT, ...ISOLATED, 'test/browser/**', 'test/engines/**'],
      },
    },
    {
      extends: true,
      test: { ...inNode, name: 'isolated', include: ISOLATED, isolate: true },
    },
    {
      extends: true,
      test: {
        ...inNode,
        name: 'built',
        include: BUILT,
        globalSetup: ['test/set-up/chromium.ts', 'test/set-up/builds.ts'],
      },
    },
    {
      extends: true,
      test: {
        name: 'browser',
        include: ['test/browser/**/*.test.ts'],
        globalSetup: ['test/set-up/need-chromium.ts'],
        browser: {
          enabled: true,
          fileParallelism: false,
          headless: true,
          screenshotFailures: false,
          provider: playwright({
            launchOptions: { executablePath: findHeadlessShell() ?? 'chromium', args: [...CHROMIUM_FLAGS] },
          }),
          commands: { makeParity },
          instances: [{ browser: 'chromium' }],
        },
      },
    },
    {
      extends: true,
      test: {
        ...inNode,
        name: 'engines',
        include: ['test/engines/**/*.test.ts'],
        globalSetup: ['test/set-up/need-chromium.ts', 'test/set-up/builds.ts', 'test/engines/name-missing.ts'],
      },
    },
  ],
};
