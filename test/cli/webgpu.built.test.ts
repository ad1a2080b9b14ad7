import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { built, plainEnv, ROOT } from '../build/built';
import { folder } from './program';

const execute = promisify(execFile);
const ASK = ['recommend', '--artifact', 'public/models/demo', '--session', '', '--backend', 'webgpu'];

/** Runs a built command line and hands out how it failed. */
async function failure(program: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number; stderr: string }> {
  const options = { cwd: ROOT, env: { ...plainEnv(), ...env } };
  return execute(process.execPath, [program, ...ASK], options).then(
    () => ({ code: 0, stderr: '' }),
    ({ code, stderr }) => ({ code, stderr }),
  );
}

test('--backend webgpu names the package that is missing', async () => {
  const installed = await folder();
  await cp(built('cli'), join(installed, 'dist/cli'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  const { code, stderr } = await failure(join(installed, 'dist/cli/aisle.js'));
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^aisle: WebGPU needs the package "webgpu".* Run "npm install webgpu", or use "wasm"\. \(--verbose shows where\)\n$/,
  );
});

test.runIf(process.platform === 'linux')('--backend webgpu names the driver that is missing', async () => {
  const none = { VK_DRIVER_FILES: '/no/driver.json', VK_ICD_FILENAMES: '/no/driver.json' };
  const { code, stderr } = await failure(join(built('cli'), 'aisle.js'), none);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^aisle: WebGPU found no driver of a GPU: .*"mesa-vulkan-drivers".* or use "wasm"\. \(--verbose/m,
  );
});
