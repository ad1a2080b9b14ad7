/** The WebAssembly of `engine/kernels/simd`, built from its AssemblyScript: `npm run simd` writes it, a test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { main as compile } from 'assemblyscript/asc';

const FOLDER = resolve(import.meta.dirname, '../../src/engine/kernels/simd');
const TARGET = join(FOLDER, 'binary.ts');

/** No runtime and no memory of its own: it allocates nothing and works in the memory that it is given. */
const OPTIONS = ['--runtime', 'stub', '--importMemory', '--noExportMemory', '--enable', 'simd', '-O3', '--noAssert'];

/** What `binary.ts` says, and what it should say. */
export async function binarySource(): Promise<{ readonly is: string; readonly shouldBe: string }> {
  let built: Uint8Array | undefined;
  const { error, stderr } = await compile(['index.ts', '--outFile', 'simd.wasm', ...OPTIONS], {
    readFile: (name, base) => {
      try {
        return readFileSync(join(FOLDER, 'assembly', base, name), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (_name, contents) => {
      built = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error || !built) throw new Error(`The AssemblyScript compiler failed: ${error?.message}\n${stderr.toString()}`);
  const base64 = Buffer.from(built).toString('base64');
  const shouldBe = `/** Built from \`assembly/\` by \`npm run simd\`; not to be edited. */\nexport const SIMD_BINARY =\n  '${base64}';\n`;
  return { is: readFileSync(TARGET, 'utf8'), shouldBe };
}

export async function main(): Promise<void> {
  const { is, shouldBe } = await binarySource();
  if (is === shouldBe) return;
  writeFileSync(TARGET, shouldBe);
  console.log(`${TARGET}: ${shouldBe.length} bytes`);
}
