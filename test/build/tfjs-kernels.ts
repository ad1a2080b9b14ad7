/**
 * TensorFlow.js' kernels of each backend, from the one list of names: `virtual:tfjs-kernels/BACKEND/PART`, where the part is
 * `inference` or `training`, exports those that the backend has. A bundle gets these and no others.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { inferenceKernels, trainingKernels } from '../../src/compute/kernels/shared/names.ts';

const PREFIX = 'virtual:tfjs-kernels/';
const PARTS: Readonly<Record<string, readonly string[]>> = { inference: inferenceKernels, training: trainingKernels };

const { resolve } = createRequire(import.meta.url);

/** Needed by every build, and by whatever else runs the sources. */
export function tfjsKernels(): Plugin {
  return {
    name: 'aisle:tfjs-kernels',
    resolveId: { filter: { id: /^virtual:tfjs-kernels\// }, handler: (id) => `\0${id}` },
    load: {
      filter: { id: /^\0virtual:tfjs-kernels\// },
      handler(id) {
        const [backend, part] = id.slice(1 + PREFIX.length).split('/') as [string, string];
        return kernelImports(backend, PARTS[part]!);
      },
    },
  };
}

/** A module that imports the kernels of these names. Each file of TensorFlow.js exports one, `Abs.js` `absConfig`. */
export function kernelImports(backend: string, names: readonly string[]): string {
  const part = `@tensorflow/tfjs-backend-${backend}`;
  const folder = join(dirname(resolve(`${part}/package.json`)), 'dist/kernels');
  const present = names.filter((name) => existsSync(join(folder, `${name}.js`)));
  const configs = present.map((name) => `${name.replace(/[A-Z]/, (letter) => letter.toLowerCase())}Config`);
  const imports = present.map((name, i) => `import { ${configs[i]} } from '${part}/dist/kernels/${name}';`);
  return `${imports.join('\n')}\nexport default [${configs.join(', ')}];\n`;
}
