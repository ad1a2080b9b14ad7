/** The modules of WebAssembly that are written in AssemblyScript: `npm run simd` builds them, a test compares. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { main as compile } from 'assemblyscript/asc';

const COMPUTE = resolve(import.meta.dirname, '../compute');
/** Each has its source in `assembly/`. A page waits for the plans' module, which is as fast with fewer bytes. */
const FOLDERS: Readonly<Record<string, string>> = { 'kernels/wasm-simd': '-O3', plan: '-O3s' };

/** What is built, and the features of WebAssembly that an engine must have for it. */
const BUILDS: Readonly<Record<string, string>> = { 'binary.ts': 'simd', 'binary-fused.ts': 'simd,relaxed-simd' };

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
  for (const [folder, level] of Object.entries(FOLDERS)) {
    for (const [name, features] of Object.entries(BUILDS)) {
      const path = join(COMPUTE, folder, name);
      const is = existsSync(path) ? readFileSync(path, 'utf8') : '';
      found.push({ path, is, shouldBe: await sourceOf(join(COMPUTE, folder, 'assembly'), features, level) });
    }
  }
  return found;
}

async function sourceOf(folder: string, features: string, level: string): Promise<string> {
  let built: Uint8Array | undefined;
  const { error, stderr } = await compile(
    ['index.ts', '--outFile', 'simd.wasm', '--enable', features, level, ...OPTIONS, ...QUIET],
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
