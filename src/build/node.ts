/**
 * What Node needs to run the sources. TensorFlow.js ships ES modules with extensionless imports, which Node cannot load, and
 * WASM modules whose scripts are CommonJS.
 */
import { readFileSync } from 'node:fs';
import type { Plugin, UserConfig } from 'vite';

/** Packages that Vite must process wherever Node runs modules one by one. */
export const INLINED = [/@tensorflow\/tfjs/];

/** The scripts of the WASM modules ask where they lie, in the form of CommonJS. */
const define = { __dirname: 'import.meta.dirname' };

/**
 * For a program in one bundle: development dependencies are inlined too, so that it needs nothing but Node and the `.wasm`
 * files, which lie in the folder of its scripts. WebGPU stays outside: it is a binary for each machine.
 */
export const bundledForNode = {
  publicDir: false,
  ssr: { noExternal: true, external: ['webgpu'], target: 'node' },
  define: { ...define, 'import.meta.env.WASM_FOLDER': 'import.meta.dirname' },
} as const satisfies UserConfig;

/** Node runs no WASM with threads: their module stays out. */
const WASM = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

/** Puts the `.wasm` files of TensorFlow.js beside the program. */
export function wasmBeside(): Plugin {
  return {
    name: 'aisle:wasm-beside',
    apply: 'build',
    generateBundle() {
      for (const fileName of WASM) {
        const source = readFileSync(`node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/${fileName}`);
        this.emitFile({ type: 'asset', fileName, source });
      }
    },
  };
}

/** For modules that Node runs one by one, from the sources. */
export const modulesForNode: UserConfig = {
  publicDir: false,
  ssr: { noExternal: INLINED },
  define,
  plugins: [commonJsScripts()],
};

/** Vite's development server does not convert CommonJS, nor the `require` in TensorFlow.js's ES modules. */
function commonJsScripts(): Plugin {
  const require = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
  return {
    name: 'aisle:common-js',
    enforce: 'pre',
    transform: {
      filter: { id: /\/(wasm-out\/[^/]+|platform_node)\.js$/ },
      handler: (code, id) => ({
        code: id.includes('/wasm-out/')
          ? `${require} const module = { exports: {} }; const exports = module.exports; ${code}\nexport default module.exports;`
          : `${require} ${code}`,
        map: null,
      }),
    },
  };
}
