/**
 * TensorFlow.js' kernels of each backend, from the one list of names: `virtual:tfjs-kernels/BACKEND/PART`, where the part is
 * `inference` or `training`, exports those that the backend has and ours do not replace; of the part `stock` all that it has, to
 * compare with; `virtual:tfjs-kernels/gradients` their gradients. A bundle gets these and no others.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { inferenceKernels, replacedKernels, trainingKernels } from '../compute/kernels/shared/names.ts';

const PREFIX = 'virtual:tfjs-kernels/';
const STOCK = [...inferenceKernels, ...trainingKernels];

/** The names of a part. */
function namesOf(backend: string, part: string): readonly string[] {
  if (part === 'stock') return STOCK;
  const names = part === 'inference' ? inferenceKernels : trainingKernels;
  return names.filter((name) => !replacedKernels[backend]?.includes(name));
}

const { resolve } = createRequire(import.meta.url);

/** Needed by every build, and by whatever else runs the sources. */
export function tfjsKernels(): Plugin {
  return {
    name: 'aisle:tfjs-kernels',
    // The sources name the package; everything they use is in its core.
    config: () => ({ resolve: { alias: [{ find: /^@tensorflow\/tfjs$/, replacement: '@tensorflow/tfjs-core' }] } }),
    resolveId: { filter: { id: /^virtual:tfjs-kernels\// }, handler: (id) => `\0${id}` },
    load: {
      filter: { id: /^\0virtual:tfjs-kernels\// },
      handler(id) {
        const [backend, part] = id.slice(1 + PREFIX.length).split('/') as [string, string?];
        return part === undefined ? gradientImports() : kernelImports(backend, namesOf(backend, part));
      },
    },
  };
}

/** What the development server has to prepare ahead: it does not look into virtual modules, and would reload the page later. */
export const kernelFiles = (): string[] => [
  ...['cpu', 'wasm', 'webgl', 'webgpu'].flatMap((backend) =>
    present(backend, STOCK).map((name) => `${partOf(backend)}/dist/kernels/${name}`),
  ),
  ...gradientFiles(),
];

const partOf = (backend: string): string => `@tensorflow/tfjs-backend-${backend}`;

/** Those of the names that a backend has. */
function present(backend: string, names: readonly string[]): string[] {
  const folder = join(dirname(resolve(`${partOf(backend)}/package.json`)), 'dist/kernels');
  return names.filter((name) => existsSync(join(folder, `${name}.js`)));
}

/** A module that imports the kernels of these names. Each file of TensorFlow.js exports one, `Abs.js` `absConfig`. */
function kernelImports(backend: string, names: readonly string[]): string {
  const kernels = present(backend, names);
  const configs = kernels.map((name) => `${name.replace(/[A-Z]/, (letter) => letter.toLowerCase())}Config`);
  const imports = kernels.map((name, i) => `import { ${configs[i]} } from '${partOf(backend)}/dist/kernels/${name}';`);
  return `${imports.join('\n')}\nexport default [${configs.join(', ')}];\n`;
}

/** Kernels whose gradient is ours (`shared/broadcast-gradients.ts`), or which no loss is differentiated through. */
const NO_GRADIENT = ['Mean', 'Sum', 'Tile'];

/** The files of the gradients of all kernels that have one. */
const gradientFiles = (): string[] =>
  STOCK.filter((name) => !NO_GRADIENT.includes(name))
    .map((name) => `@tensorflow/tfjs-core/dist/gradients/${name}_grad`)
    .filter((file) => existsSync(pathOf(file)));

const pathOf = (file: string): string =>
  join(dirname(resolve('@tensorflow/tfjs-core/package.json')), '../..', `${file}.js`);

/** A module that imports them. Each file exports one, not always by the name of its kernel. */
function gradientImports(): string {
  const files = gradientFiles();
  const configs = files.map((file) => /export const (\w+)/.exec(readFileSync(pathOf(file), 'utf8'))![1]!);
  const imports = files.map((file, i) => `import { ${configs[i]} } from '${file}';`);
  return `${imports.join('\n')}\nexport default [${configs.join(', ')}];\n`;
}
