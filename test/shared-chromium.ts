import { buffer } from 'node:stream/consumers';
import { type Browser, chromium, type Download } from 'playwright-core';
import { inject } from 'vitest';

/**
 * Connects to the one Chromium of a test run (`test/set-up/chromium.ts`). Each connection sees its own contexts only, and `close`
 * closes those.
 */
export const openBrowser = (): Promise<Browser> => chromium.connect(inject('chromium'));

/** The content of a file that a page hands over: it lies where the browser runs. */
export const contentOf = async (download: Download): Promise<Buffer> => buffer(await download.createReadStream());
