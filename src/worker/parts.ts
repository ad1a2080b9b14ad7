/**
 * The registry of a built worker's lazy parts. A part is a script without imports or exports, so that no bundler changes it
 * and it never imports the worker's script back: it defines itself here. In a built worker, `import('./x')` is `load('x')`.
 * `src/build/worker-files.ts` puts this in front of the worker's script.
 */

export type Exports = Record<string, unknown>;
/** The code of a part. It fills `exports`. */
export type PartFactory = (
  exports: Exports,
  require: (part: string) => Exports,
  load: (part: string) => Promise<Exports>,
) => void;

/** Of each part the hash of its file, and the parts that it uses itself: `8567f647 tensorflow caser-spec`. */
export type PartFiles = Readonly<Record<string, string>>;

export interface Parts {
  define(part: string, factory: PartFactory): void;
  /** The exports of a part that is defined. */
  require(part: string): Exports;
  /** Loads a part and all that it needs, side by side. @throws Error naming the address where one cannot be loaded. */
  load(part: string): Promise<Exports>;
  /** @param addressOf The address of a file by its name. */
  locate(addressOf: (file: string) => string): void;
}

/** @param importScript Runs the script at an address. */
export function createParts(files: PartFiles, importScript: (url: string) => Promise<unknown>): Parts {
  const factories = new Map<string, PartFactory>();
  const evaluated = new Map<string, Exports>();
  let address = (file: string): string => file;

  function require(part: string): Exports {
    const known = evaluated.get(part);
    if (known) return known;
    const exports: Exports = {};
    factories.get(part)!(exports, require, load);
    evaluated.set(part, exports);
    return exports;
  }

  async function fetchPart(part: string): Promise<void> {
    if (factories.has(part)) return;
    const [hash] = files[part]!.split(' ');
    const url = address(`worker-${part}-${hash}.js`);
    let why = 'it holds something else';
    try {
      await importScript(url);
    } catch (error) {
      why = (error as Error)?.message ?? String(error);
    }
    if (factories.has(part)) return;
    throw new Error(
      `The worker's part ${url} could not be loaded: ${why}. Copy the whole folder of the worker's script`,
    );
  }

  async function load(part: string): Promise<Exports> {
    const needed = new Set([part]);
    for (const one of needed) for (const need of files[one]!.split(' ').slice(1)) needed.add(need); // it grows meanwhile
    await Promise.all([...needed].map(fetchPart));
    return require(part);
  }

  return {
    define: (part, factory) => void factories.set(part, factory),
    require,
    load,
    locate(addressOf) {
      address = addressOf;
    },
  };
}
