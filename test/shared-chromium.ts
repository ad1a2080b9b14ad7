import { type Browser, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { closeServer } from './server';

/**
 * Connects to the one Chromium of a test run (`test/set-up/chromium.ts`). Each connection sees its own contexts only, and `close`
 * closes those.
 */
export const openBrowser = (): Promise<Browser> => chromium.connect(inject('chromium'));

export interface BrowserAndServer<S> {
  readonly browser: Browser;
  readonly server: S;
}

/** Opens a browser and a server for the tests of one file, and closes the contexts of each test after it. */
export function browserAndServer<S extends { close(): unknown }>(serve: () => Promise<S>): BrowserAndServer<S> {
  const shared = {} as { browser: Browser; server: S };
  beforeAll(async () => {
    [shared.browser, shared.server] = await Promise.all([openBrowser(), serve()]);
  });
  afterEach(async () => {
    for (const context of shared.browser.contexts()) await context.close();
  });
  afterAll(async () => {
    await shared.browser?.close();
    closeServer(shared.server);
  });
  return shared;
}
