/** WebAssembly that lies in our scripts as hexadecimal text. */

export interface Binary {
  readonly load: () => Promise<{ readonly SIMD_BINARY: string }>;
  bytes?: Uint8Array<ArrayBuffer>;
  module?: WebAssembly.Module;
}

/**
 * The first binary that the engine can run, fetched and compiled once.
 *
 * @returns Undefined where it can run none: a few engines have no SIMD.
 */
export async function compileFirst(binaries: readonly Binary[]): Promise<WebAssembly.Module | undefined> {
  for (const binary of binaries) {
    binary.bytes ??= Uint8Array.from((await binary.load()).SIMD_BINARY.match(/../g)!, (hex) =>
      Number.parseInt(hex, 16),
    );
    if (!WebAssembly.validate(binary.bytes)) continue;
    binary.module ??= await WebAssembly.compile(binary.bytes);
    return binary.module;
  }
  return undefined;
}
