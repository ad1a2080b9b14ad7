/**
 * Every way in which a backend may not even start, in a real browser, with the built library. Each time: a
 * recommendation, or an honest error; nothing that a shop's error log would see; and a `status` that tells the truth.
 */
import { describe, expect, test, vi } from 'vitest';
import { deleteWorker, expectRight, type ShopPageOptions, shopPages } from '../engine/shop-page';
import { slice } from '../soak-slice';

vi.setConfig({ testTimeout: 120_000 });

const { opened } = shopPages();

const STRICT = "default-src 'none'; connect-src 'self'; worker-src 'self'";
const WITH_WASM = `${STRICT}; script-src 'self' 'wasm-unsafe-eval'`;
const TYPES = "require-trusted-types-for 'script'";

/** What waits for longer than ten seconds in a worker waits for one: the deadlines of backends are over sooner. */
const HURRIED = `const real = setTimeout; globalThis.setTimeout = (run, ms, ...rest) => real(run, ms > 10000 ? 1000 : ms, ...rest)`;

interface Outcome {
  readonly backend: string;
  readonly thread?: 'worker' | 'main';
  /** Part of `status.engine.why`. */
  readonly why?: string;
  /** Codes of `status.degraded`, and part of the message of the first. */
  readonly degraded?: readonly string[];
  readonly message?: string;
}

/** What `npm test` leaves to the full run: it has another of the same kind each. */
const ONLY_IN_FULL = [
  'under a strict policy that allows WebAssembly',
  'under a policy that forbids workers',
  'under Trusted Types that allow the one policy',
  'where to start a worker throws',
  "where the worker's script is a page",
  'without WebAssembly',
  'where the WebAssembly file never comes',
  'with a plan, without workers',
  'with a plan, under a strict policy that forbids WebAssembly',
  'where the plan is a page',
  'on WebGL',
  'on WebGL in the page',
  'on WebGPU in the page',
  'without WebGL',
  'without WebGPU',
  'where WebGPU has no adapter',
  'where the weights are missing',
  'without fetch',
];
const few = <T extends readonly [string, ...unknown[]]>(cases: readonly T[]): T[] =>
  slice(cases, ([name]) => !ONLY_IN_FULL.includes(name));

describe('there are recommendations', () => {
  const cases: [string, ShopPageOptions, Outcome][] = [
    ['where all is well', {}, { backend: 'wasm' }],
    ['under a strict policy that allows WebAssembly', { csp: WITH_WASM }, { backend: 'wasm' }],
    [
      'under a strict policy that forbids WebAssembly',
      { csp: `${STRICT}; script-src 'self'` },
      { backend: 'cpu', why: '"wasm" could not be started' },
    ],
    [
      'under a policy that forbids workers',
      { csp: "default-src 'none'; connect-src 'self'; worker-src 'none'; script-src 'self' 'wasm-unsafe-eval'" },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'under a policy that forbids workers and WebAssembly',
      { csp: "default-src 'none'; connect-src 'self'; script-src 'self'; worker-src 'none'" },
      { backend: 'cpu', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'under Trusted Types that allow the one policy',
      { csp: `${WITH_WASM}; ${TYPES}; trusted-types aisle` },
      { backend: 'wasm' },
    ],
    [
      'under Trusted Types that allow no policy',
      { csp: `${WITH_WASM}; ${TYPES}; trusted-types 'none'` },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'TrustedScriptURL' },
    ],
    [
      'without workers',
      { inPage: [deleteWorker] },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'no workers here' },
    ],
    [
      'where to start a worker throws',
      {
        inPage: [
          () => {
            globalThis.Worker = class {
              constructor() {
                throw new DOMException('not in this frame', 'SecurityError');
              }
            } as never;
          },
        ],
      },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'not in this frame' },
    ],
    [
      "where the worker's script is a page",
      { answer: (path) => (path === '/lib/worker.js' ? { body: '<!doctype html>', type: 'text/html' } : undefined) },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: '/worker.js' },
    ],
    [
      "where the worker's script never comes",
      {
        answer: (path) => (path === '/lib/worker.js' ? 'never' : undefined),
        recommender: { startDeadline: 1 },
      },
      { backend: 'wasm', thread: 'main', degraded: ['no-worker'], message: 'did not start within 1 s' },
    ],
    [
      "where the page's own fetch, idle callbacks and locks are missing",
      {
        inPage: [
          () => {
            for (const name of ['fetch', 'requestIdleCallback']) Object.assign(globalThis, { [name]: undefined });
            Object.defineProperty(navigator, 'locks', { value: undefined });
          },
        ],
      },
      { backend: 'wasm' },
    ],
    [
      "where the browser's language is none",
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'language', { value: 'en-US@posix' });
        },
      },
      { backend: 'wasm' },
    ],
    [
      'without WebAssembly',
      { inWorker: () => void delete (globalThis as { WebAssembly?: unknown }).WebAssembly },
      { backend: 'cpu', why: '"wasm" could not be started' },
    ],
    [
      'where the WebAssembly file is a page, and WebAssembly was asked for',
      {
        answer: (path) => (path.endsWith('.wasm') ? { body: '<!doctype html>', type: 'text/html' } : undefined),
        recommender: { backend: 'wasm' },
      },
      { backend: 'cpu', degraded: ['no-backend'], message: '"wasm" could not be started' },
    ],
    [
      'where the WebAssembly file never comes',
      { answer: (path) => (path.endsWith('.wasm') ? 'never' : undefined), inWorker: HURRIED },
      { backend: 'cpu', why: '"wasm" did not answer within 20 s' },
    ],
    [
      'where the WebAssembly file never comes, and WebAssembly was asked for',
      {
        answer: (path) => (path.endsWith('.wasm') ? 'never' : undefined),
        inWorker: HURRIED,
        recommender: { backend: 'wasm' },
      },
      { backend: 'cpu', degraded: ['no-backend'], message: '"wasm" did not answer within 20 s' },
    ],
    ['with a plan', { hasPlan: true, recommender: { backend: 'plan' } }, { backend: 'plan' }],
    [
      'with a plan, without workers',
      { hasPlan: true, inPage: [deleteWorker] },
      { backend: 'plan', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'with a plan, under a strict policy that forbids WebAssembly',
      { hasPlan: true, csp: `${STRICT}; script-src 'self'` },
      { backend: 'cpu', why: '"wasm" could not be started' },
    ],
    [
      'where the plan is a page',
      {
        hasPlan: true,
        answer: (path) => (path.endsWith('/plan.bin') ? { body: '<!doctype html>', type: 'text/html' } : undefined),
      },
      { backend: 'wasm', why: 'plan.bin is an HTML page' },
    ],
    [
      'where the code of plans is missing, and the plan was asked for',
      {
        hasPlan: true,
        answer: (path) => (path.includes('/worker-plan-') ? { status: 404 } : undefined),
        recommender: { backend: 'plan' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: 'worker-plan-' },
    ],
    ['on WebGPU', { recommender: { backend: 'webgpu' } }, { backend: 'webgpu' }],
    ['on WebGL', { recommender: { backend: 'webgl' } }, { backend: 'webgl' }],
    [
      'on WebGL, without the code that tries backends',
      {
        answer: (path) => (path.includes('/trials-') ? { body: '', status: 404 } : undefined),
        recommender: { backend: 'webgl' },
      },
      { backend: 'webgl' },
    ],
    [
      'on WebGL in the page',
      {
        inPage: [deleteWorker],
        recommender: { backend: 'webgl' },
      },
      { backend: 'webgl', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'on WebGPU in the page',
      {
        inPage: [deleteWorker],
        recommender: { backend: 'webgpu' },
      },
      { backend: 'webgpu', thread: 'main', degraded: ['no-worker'] },
    ],
    [
      'without WebGL',
      {
        inWorker: () => {
          OffscreenCanvas.prototype.getContext = () => null as never;
        },
        recommender: { backend: 'webgl' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgl" could not be started' },
    ],
    [
      'where WebGL has no memory left',
      {
        inWorker: () => {
          WebGL2RenderingContext.prototype.createTexture = () => null as never;
        },
        recommender: { backend: 'webgl' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgl"' },
    ],
    [
      'without WebGPU',
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'gpu', { value: undefined });
        },
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgpu" could not be started' },
    ],
    [
      'where to look for WebGPU throws',
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'gpu', {
            get: () => {
              throw new DOMException('not in this frame', 'SecurityError');
            },
          });
        },
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: 'not in this frame' },
    ],
    [
      'where WebGPU has no adapter',
      {
        inWorker: () => {
          Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: async () => null } });
        },
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: 'no WebGPU adapter' },
    ],
    [
      'where WebGPU never says whether it has an adapter',
      {
        inWorker: `${HURRIED};
          Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: () => new Promise(() => {}) } });`,
        recommender: { backend: 'webgpu' },
      },
      { backend: 'wasm', degraded: ['no-backend'], message: '"webgpu" did not answer within 20 s' },
    ],
  ];
  test.each(few(cases))(
    '%s',
    async (_, options, { backend, thread = 'worker', why = '', degraded = [], message = '' }) => {
      const shop = await opened(options);
      await expectRight(shop);
      const status = await shop.status();
      expect(status.engine).toMatchObject({ backend, thread });
      expect(status.engine!.why).toContain(why);
      expect(status.model!.backend).toBe(backend);
      expect(status.degraded.map(({ code }) => code)).toEqual(degraded);
      expect(status.degraded[0]?.message ?? '').toContain(message);
      await expectRight(shop);
      expect((await shop.status()).degraded).toEqual(status.degraded);
      expect(await shop.thrown()).toEqual([]);
      expect(await shop.errors()).toEqual([]);
    },
  );
});

describe('there is an honest error', () => {
  const weights = '/model/weights.safetensors';
  const cases: [string, ShopPageOptions, string, string][] = [
    [
      'where the weights are a page',
      { answer: (path) => (path === weights ? { body: '<!doctype html>', type: 'text/html' } : undefined) },
      'bad-artifact',
      'HTML page',
    ],
    [
      'where the weights are cut off',
      { answer: (path) => (path === weights ? { body: 'short' } : undefined) },
      'bad-artifact',
      'weights.safetensors',
    ],
    [
      'where the weights are missing',
      { answer: (path) => (path === weights ? { body: '', status: 404 } : undefined) },
      'bad-artifact',
      'status 404',
    ],
    [
      'where the server fails',
      { answer: (path) => (path.startsWith('/model/') ? { body: '', status: 503 } : undefined) },
      'io',
      'answered 503',
    ],
    [
      'under a policy that forbids to fetch',
      { csp: WITH_WASM.replace("connect-src 'self'", "connect-src 'none'") },
      'io',
      'could not be fetched',
    ],
    [
      'without fetch',
      { inWorker: () => void Object.assign(globalThis, { fetch: undefined }) },
      'io',
      'could not be fetched',
    ],
    [
      'where to fetch throws',
      {
        inWorker: () => {
          globalThis.fetch = () => {
            throw new TypeError('not today');
          };
        },
      },
      'io',
      'not today',
    ],
    [
      'where neither the worker nor the engine of the page can be loaded',
      { answer: (path) => (/worker\.js|main-thread/.test(path) ? { body: '', status: 404 } : undefined) },
      'io',
      'main-thread',
    ],
  ];
  test.each(few(cases))('%s', async (_, options, code, message) => {
    const shop = await opened(options);
    const notices = { code, message: expect.stringContaining(message) };
    expect(await shop.ask()).toMatchObject(notices);
    expect(await shop.ask()).toMatchObject(notices);
    const { engine, model } = await shop.status();
    expect({ engine, model }).toEqual({});
    expect(await shop.errors()).toEqual([code]);
    expect(await shop.thrown()).toEqual([]);
  });
});
