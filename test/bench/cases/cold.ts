import type { Browser, Page } from 'playwright-core';
import { devDependencies } from '../../../package.json';
import { launchChromium } from '../../chromium';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../figures';
import { most, SESSION, servePeers, THROTTLE } from '../peer-site';

/**
 * The second page of a shop: from the navigation until its slot shows what the network says, files that the browser may keep, the
 * visit on the device; beside a page that does the same with ONNX Runtime Web.
 */
export const cases: readonly BenchCase[] = coldCases();

function coldCases(): BenchCase[] {
  const folder = sharedPath('peers');
  if (folder) return [{ name: 'cold', unit: 'ms', runs: 20, warmup: 1, open: () => open(folder) }];
  console.error('cold is left out: the weights of both sides, ../shared/peers, are not here.');
  return [];
}

/** Milliseconds after the navigation. */
interface Load {
  /** Something is shown: the list of the page before, or the network's. */
  readonly shown: number;
  readonly neural: number;
  /** The longest task of the page's own thread, whoever caused it; 0: none of 50 ms. */
  readonly longest: number;
}

async function open(folder: string): Promise<OpenCase> {
  const pages = { '/a.html': ours(true), '/b.html': ours(false), '/onnx-a.html': ONNX, '/onnx-b.html': ONNX };
  const [browser, site] = await Promise.all([launchChromium(), servePeers(pages, folder, 'max-age=3600')]);
  const loads: Record<'ours' | 'theirs', Load[]> = { ours: [], theirs: [] };
  async function load(side: 'ours' | 'theirs'): Promise<number> {
    const prefix = side === 'ours' ? '' : 'onnx-';
    const one = await secondPage(browser, `${site.origin}/${prefix}a.html`, `${site.origin}/${prefix}b.html`);
    loads[side].push(one);
    return one.neural;
  }
  return {
    ours: () => load('ours'),
    theirs: () => load('theirs'),
    peer: 'a page with ONNX Runtime Web (wasm) in a worker',
    threads: 1,
    versions: { Chromium: browser.version(), 'onnxruntime-web': devDependencies['onnxruntime-web'] },
    facts() {
      const of = (side: 'ours' | 'theirs', what: keyof Load) => loads[side].slice(1).map((one) => one[what]);
      return {
        'slower by': `${THROTTLE}×, the page's own thread`,
        'list of the page before shown after, ms': Math.round(median(of('ours', 'shown'))),
        '95th percentile of that, ms': most(of('ours', 'shown')),
        '95th percentile of the first answer, ms': most(of('ours', 'neural')),
        'the same of the peer, ms': most(of('theirs', 'neural')),
        'longest task of the page, median, ms': Math.round(median(of('ours', 'longest'))),
        'the same of the peer': Math.round(median(of('theirs', 'longest'))),
      };
    },
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

async function secondPage(browser: Browser, first: string, second: string): Promise<Load> {
  const page = await browser.newPage();
  try {
    await page.goto(first);
    await neural(page);
    await page.waitForTimeout(1500); // what a page does when it is idle
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
    await page.goto(second);
    return await neural(page);
  } finally {
    await page.context().close();
  }
}

async function neural(page: Page): Promise<Load> {
  const found = await page.waitForFunction(
    () => {
      const { found: load } = globalThis as { found?: Partial<Load> };
      return load?.neural !== undefined && (load as Load);
    },
    null,
    { timeout: 120_000 },
  );
  return (await found.jsonValue()) as Load;
}

/** Notes when the slot shows a link, and when the network's are there, for either page. */
const WATCH = `
  globalThis.found = { longest: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) found.longest = Math.max(found.longest, duration);
  }).observe({ entryTypes: ['longtask'] });
  const looking = setInterval(() => {
    if (!(document.querySelector('aisle-recommendations')?.shadowRoot ?? document).querySelector('a')) return;
    found.shown ??= performance.now();
    clearInterval(looking);
  }, 4);`;

const ours = (tracks: boolean): string => `<!doctype html><html lang="en"><title>Cold</title><script>${WATCH}
  addEventListener('aisle-recommendations', ({ detail }) => {
    if (detail.items[0]?.reason !== 'neural') return;
    found.neural = performance.now();
    found.shown ??= found.neural;
  });
  ${tracks ? `for (const item of ${JSON.stringify(SESSION)}) (window.aisle ||= []).push(['track', String(item)]);` : ''}
</script><script type="module" src="/embed/embed.js" data-model-url="/model/" data-backend="plan" data-consent="granted"
  data-item-url="/p/{id}" data-learn="manual"></script><aisle-recommendations limit="20"></aisle-recommendations>`;

const ONNX = `<!doctype html><html lang="en"><title>Cold</title><ul></ul><script type="module">${WATCH}
  const worker = new Worker('/onnx-worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => {
    document.querySelector('ul').append(...data.map((item) => {
      const link = document.createElement('a');
      link.href = '/p/' + item;
      link.textContent = item;
      return link;
    }));
    found.neural = performance.now();
    found.shown ??= found.neural;
  };
</script>`;
