/**
 * What pages do without of TensorFlow.js: the one place that says so. Nothing here changes a result; `budgets.test.ts`
 * holds what it saves, and the tests in Chromium on the built files that what is left works.
 */
import type { Plugin } from 'vite';

/** Modules of `@tensorflow` of which a page runs nothing, or next to nothing, and what stands in their place. */
export const REPLACED: Readonly<Record<string, string>> = {
  // Registers its optimisers for saving. Ours are kernels of their own.
  'tfjs-core/dist/optimizers/register_optimizers.js': 'export const registerOptimizers = () => {};',
  // A page is not Node.
  'tfjs-core/dist/platforms/platform_node.js': '',
  // The same platform without the registration of saved models in IndexedDB and local storage, which are the `store`'s.
  'tfjs-core/dist/platforms/platform_browser.js': `
    import '../flags';
    import { env } from '../environment';
    import { isTypedArrayBrowser } from './is_typed_array_browser';
    if (env().get('IS_BROWSER')) {
      env().setPlatform('browser', {
        fetch: (path, init) => fetch(path, init),
        now: () => performance.now(),
        encode: (text) => new TextEncoder().encode(text),
        decode: (bytes, encoding) => new TextDecoder(encoding).decode(bytes),
        setTimeoutCustom: (run, delay) => setTimeout(run, delay),
        isTypedArray: isTypedArrayBrowser,
      });
    }`,
  // Its list of the names of old phones is a kilobyte, for how often WebGL flushes. Phones of today say "Mobi", as only iPads do too.
  'tfjs-core/dist/device_util.js': `
    export const isMobile = ({ userAgent = '' } = globalThis.navigator ?? {}) =>
      /Mobi/.test(userAgent) && !/iPad/.test(userAgent);
    export const isBrowser = () => globalThis.document != null || typeof WorkerGlobalScope !== 'undefined';
    export const mockIsMobile = () => {};`,
  // Threads need a cross-origin isolated page; `backends/wasm.ts` never asks for them.
  'tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js': 'export default undefined;',
  'tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.worker.js': "export const wasmWorkerContents = '';",
};

const TENSORFLOW = /[\\/]@tensorflow[\\/](.*\.js)$/;

/** For the bundles of pages, their worker included. */
export function leanTensorFlow(): Plugin {
  return {
    name: 'aisle:lean-tensorflow',
    apply: 'build',
    enforce: 'pre',
    load: {
      filter: { id: TENSORFLOW },
      handler: (id) => REPLACED[TENSORFLOW.exec(id)![1]!.replaceAll('\\', '/')],
    },
    transform: {
      filter: { id: TENSORFLOW, code: /^const \{|typeof process/m },
      handler: (code) => ({ code: withoutDestructuring(withoutNode(code)), map: null }),
    },
  };
}

/** A page is not Node, whatever a bundler or Electron puts in the place of `process`. */
const withoutNode = (code: string): string => code.replaceAll(/typeof process\b/g, '"undefined"');

/** Leaves a backend out of a build that never starts it. */
export function withoutBackend(name: string): Plugin {
  return {
    name: 'aisle:without-backend',
    apply: 'build',
    load: {
      filter: { id: new RegExp(`/src/compute/(backends/${name}|kernels/${name}/training)\\.ts$`) },
      handler: () => `export const start = () => Promise.reject(new Error('this build has no ${name}')), kernels = [];`,
    },
  };
}

/**
 * Takes what a module uses of a namespace by name. `const { a: b } = namespace;` hides from the bundler that the rest of it
 * is not used: three such lines bring all that TensorFlow.js shares between its backends.
 */
export function withoutDestructuring(code: string): string {
  return code.replace(/^const \{([^{}]*)\} = (\w+);$/gm, (line, list: string, namespace: string) => {
    const isNamespace = new RegExp(`^import (\\* as ${namespace}|\\{[^}]*\\b${namespace}\\b[^}]*\\}) from `, 'm');
    if (!isNamespace.test(code)) return line;
    const names = list.split(',').map((entry) => entry.split(':').map((name) => name.trim()));
    return names
      .filter(([name]) => name)
      .map(([name, local = name]) => `const ${local} = ${namespace}.${name};`)
      .join(' ');
  });
}
