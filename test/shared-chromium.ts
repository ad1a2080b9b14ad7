import { type Browser, chromium } from 'playwright-core';
import { inject } from 'vitest';

/**
 * Connects to the one Chromium of a test run (`test/set-up/chromium.ts`). Each connection sees its own contexts only, and `close`
 * closes those.
 */
export const openBrowser = (): Promise<Browser> => chromium.connect(inject('chromium'));
