/** The modules of WebAssembly that are written in AssemblyScript: `npm run simd` builds them, a test compares. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { main as compile } from 'assemblyscript/asc';

const COMPUTE = resolve(import.meta.dirname, '../compute');
const FUSED = 'simd,relaxed-simd';

/**
 * Each has its source in `assembly/` of its folder, and a file for each set of features of WebAssembly that an engine must have. A page
 * waits for the plans' modules, which are as fast with fewer bytes.
 */
const MODULES = [
  {
    folder: 'kernels/wasm-simd',
    entry: 'inference.ts',
    level: '-O3',
    files: { 'binary.ts': 'simd', 'binary-fused.ts': FUSED },
  },
  {
    folder: 'kernels/wasm-simd',
    entry: 'training.ts',
    level: '-O3',
    files: { 'training-binary.ts': 'simd', 'training-binary-fused.ts': FUSED },
  },
  { folder: 'plan', entry: 'index.ts', level: '-O3s', files: { 'binary.ts': 'simd', 'binary-fused.ts': FUSED } },
  { folder: 'plan', entry: 'quantised.ts', level: '-O3s', files: { 'binary-quantised.ts': 'simd' } },
  { folder: 'plan', entry: 'products.ts', level: '-O3s', files: { 'binary-products.ts': 'simd' } },
] as const;

/** No runtime and no memory of its own: it allocates nothing and works in the memory that it is given. */
const OPTIONS = ['--runtime', 'stub', '--importMemory', '--noExportMemory', '--noAssert'];

/** Vectors between functions, which only matters for those that JavaScript calls. */
const QUIET = ['--disableWarning', '112'];

export interface BinarySource {
  readonly path: string;
  readonly is: string;
  readonly shouldBe: string;
}

/** What the built files say, and what they should say. */
export async function binarySources(): Promise<BinarySource[]> {
  const found: BinarySource[] = [];
  for (const { folder, entry, level, files } of MODULES) {
    for (const [name, features] of Object.entries(files)) {
      const path = join(COMPUTE, folder, name);
      const is = existsSync(path) ? readFileSync(path, 'utf8') : '';
      found.push({ path, is, shouldBe: await sourceOf(join(COMPUTE, folder, 'assembly'), entry, features, level) });
    }
  }
  return found;
}

async function sourceOf(folder: string, entry: string, features: string, level: string): Promise<string> {
  let built: Uint8Array | undefined;
  const { error, stderr } = await compile(
    [entry, '--outFile', 'simd.wasm', '--enable', features, level, ...OPTIONS, ...QUIET],
    {
      readFile: (name, base) => {
        try {
          return readFileSync(join(folder, base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_name, contents) => {
        built = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !built) throw new Error(`The AssemblyScript compiler failed: ${error?.message}\n${stderr.toString()}`);
  // Constant data would be written over TensorFlow.js' own.
  if (hasData(built)) throw new Error('The module has a data section, for which there is no room; do without tables.');
  // Twice as long as the bytes, and as short once it is compressed, which base64 is not.
  const hex = Buffer.from(built).toString('hex');
  return `/** Built from \`assembly/\` by \`npm run simd\`; not to be edited. */\nexport const SIMD_BINARY =\n  '${hex}';\n`;
}

/** Whether a section of kind 11 is there. */
function hasData(binary: Uint8Array): boolean {
  for (let at = 8; at < binary.length; ) {
    if (binary[at++] === 11) return true;
    let [size, shift, byte] = [0, 0, 0];
    do {
      byte = binary[at++]!;
      size |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    at += size;
  }
  return false;
}

export async function main(): Promise<void> {
  for (const { path, is, shouldBe } of await binarySources()) {
    if (is === shouldBe) continue;
    writeFileSync(path, shouldBe);
    console.log(`${path}: ${shouldBe.length} bytes`);
  }
}
