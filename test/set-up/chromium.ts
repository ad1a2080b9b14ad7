/** One Chromium for all files; each opens contexts of its own (`test/shared-chromium.ts`). */
import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';
import { chromiumOptions } from '../chromium';
import needChromium from './need-chromium';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  needChromium();
  const server = await chromium.launchServer(chromiumOptions());
  project.provide('chromium', server.wsEndpoint());
  return () => server.close();
}
