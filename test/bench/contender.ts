/** Processes that repeat one piece of work on demand, so that two contenders can alternate within one sitting. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'vite';
import { leanTensorFlow } from '../../src/build/lean-tensorflow';
import { bundledForNode, wasmBeside } from '../../src/build/node';
import { tfjsKernels } from '../../src/build/tfjs-kernels';
import { type Mount, staticServer } from '../../src/cli/static-server';
import { closeServer, originOf } from '../server';
import { sharedPath } from '../shared';

/** Repeats of one piece of work. */
export interface Sample {
  /** Milliseconds of each repeat, from start to finish. */
  readonly ms: readonly number[];
  /** Milliseconds of processor time for each repeat, on average: other work on the machine does not stretch them. */
  readonly cpu: number;
}

/** A process that answers every line `COUNT` on its input with one line of JSON, a `Sample`. */
export class Contender {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  /** The next line that the process writes. */
  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#process.spawnargs.join(' ').slice(0, 200)} ended before it answered.`);
    return JSON.parse(value);
  }

  async sample(count: number): Promise<Sample> {
    this.#process.stdin!.write(`${count}\n`);
    return (await this.line()) as Sample;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.stdin!.end();
    await exit;
  }
}

/** A file of this folder as a program for Node, built like the command line: minified by nobody, everything inlined. */
export async function builtChild(file: string): Promise<{ program: string; remove: () => Promise<void> }> {
  // Inside the checkout, where Node finds the packages that stay outside.
  await mkdir(resolve('.cache'), { recursive: true });
  const folder = await mkdtemp(join(resolve('.cache'), 'bench-'));
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [tfjsKernels(), wasmBeside()],
    ...bundledForNode,
    ssr: { ...bundledForNode.ssr, external: ['onnxruntime-web', 'webgpu'] },
    build: {
      ssr: resolve('test/bench', file),
      outDir: folder,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        output: {
          entryFileNames: 'child.js',
          // Apart from the child: the command line starts itself where it is the program.
          codeSplitting: { groups: [{ name: 'command-line', test: /src\/cli\/main\.ts$/ }] },
        },
      },
    },
  });
  return { program: join(folder, 'child.js'), remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * A script of this folder built as pages are, and a server for it.
 *
 * @param mounts What lies beside `/page.js`, the script.
 */
export async function servedPage(
  file: string,
  mounts: readonly Mount[],
): Promise<{ url: string; close: () => Promise<void> }> {
  await mkdir(resolve('.cache'), { recursive: true });
  const folder = await mkdtemp(join(resolve('.cache'), 'bench-page-'));
  await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    base: './',
    plugins: [tfjsKernels(), leanTensorFlow()],
    worker: { format: 'es', plugins: () => [tfjsKernels(), leanTensorFlow()] },
    build: {
      outDir: folder,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: { input: resolve('test/bench', file), output: { entryFileNames: 'page.js' } },
    },
  });
  const server = staticServer([{ path: '/', folder }, ...mounts]);
  await new Promise<void>((open) => server.listen(0, '127.0.0.1', open));
  return {
    url: originOf(server),
    async close() {
      closeServer(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const PYTHON = '/usr/bin/python3';

/** Debian's PyTorch on a case of `torch_peer.py`, one thread; or why it cannot run here. */
export async function torchPeer(name: string): Promise<{ side: Contender; version: string } | string> {
  const script = sharedPath('peers/torch_peer.py');
  if (!script) return 'PyTorch is left out: ../shared/peers/torch_peer.py is not here';
  try {
    if (!existsSync(PYTHON)) throw new Error('no Python');
    execFileSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' });
  } catch {
    return 'PyTorch is left out: apt-get install -y python3-torch python3-safetensors libopenblas0-pthread';
  }
  // OpenBLAS has threads of its own, which would wait for each other, spinning, on a machine that does other things too.
  const oneThread = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' };
  const side = new Contender(PYTHON, [resolve('test/bench/torch-contender.py'), script, name], oneThread);
  const { version } = (await side.line()) as { version: string };
  return { side, version };
}
