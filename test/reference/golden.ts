/**
 * `npm run golden -- DIR [--only PREFIX] [--backend cpu|wasm|webgl|webgpu|plan] [--node] [--json]`: compares our computations
 * with the tensors that reference implementations left in a folder. Exit 1 on any `miss` or `unknown`.
 *
 * `webgl` and `webgpu` run in headless Chromium; `webgpu` with `--node` in Node, through the `webgpu` package. `plan` compares what
 * compiled plans recommend, of the files that recommend.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startBackend } from '../../src/compute/backends/start';
import { registerTraining } from '../../src/compute/training';
import type { BackendName } from '../../src/compute/types';
import { wasmPath, webgpuOfNode } from '../../src/pipeline/files/backend';
import { goldenInChromium } from './golden/chromium';
import { goldenFiles, runGolden, runPlan } from './golden/run';
import type { GoldenRow } from './golden/run-file';

const BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu', 'plan'] as const satisfies readonly (BackendName | 'plan')[];

const USAGE = `Usage: npm run golden -- DIR [--only PREFIX] [--backend ${BACKENDS.join('|')}] [--node] [--json]`;

export async function main(args: string[]): Promise<void> {
  const asked = question(args);
  if (typeof asked === 'string') {
    console.error(asked);
    process.exitCode = 2;
    return;
  }
  const { folder, backend, values } = asked;
  const names = goldenFiles(folder, values.only);
  const rows: GoldenRow[] = [];
  for await (const row of rowsOf(folder, names, backend, values.node)) {
    rows.push(row);
    if (!values.json) console.log(line(row)); // as it comes: on a GPU in software a file takes up to minutes
  }
  if (values.json) console.log(JSON.stringify(rows));
  if (rows.length === 0)
    console.error(`No golden file in ${folder}${values.only ? ` starts with ${values.only}` : ''}.`);
  const isGood = rows.length > 0 && rows.every(({ state }) => state === 'ok');
  process.exitCode = isGood ? 0 : 1;
}

function rowsOf(folder: string, names: readonly string[], backend: (typeof BACKENDS)[number], inNode = false) {
  if (backend === 'plan') return goldenByPlan(folder, names);
  const isInPage = backend === 'webgl' || (backend === 'webgpu' && !inNode);
  return (isInPage ? goldenInChromium : goldenInNode)(folder, names, backend);
}

/** What the arguments ask for, or the sentence that says why they ask for nothing. */
function question(args: string[]) {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return `${(error as Error).message.split('\n')[0]} ${USAGE}`;
  }
  const { values, positionals } = parsed;
  const backend = BACKENDS.find((name) => name === values.backend);
  if (positionals[0] === undefined || !backend) return USAGE;
  const folder = resolve(positionals[0]);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return `${folder} is not a folder; name the one that holds the golden files.`;
  }
  return { folder, backend, values };
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      backend: { type: 'string', default: 'cpu' },
      node: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });

async function* goldenByPlan(folder: string, names: readonly string[]): AsyncGenerator<GoldenRow, void> {
  await startBackend('cpu'); // on which networks are traced
  for (const name of names) {
    const row = await runPlan(folder, name);
    if (row) yield row;
  }
}

async function* goldenInNode(
  folder: string,
  names: readonly string[],
  backend: BackendName,
): AsyncGenerator<GoldenRow, void> {
  await startBackend(backend, {
    wasmPath: wasmPath(),
    ...(backend === 'webgpu' && { webgpu: await webgpuOfNode() }),
  });
  await registerTraining();
  for (const name of names) yield await runGolden(folder, name, backend === 'webgpu');
}

function line({ file, state, compared, total, worst, reason }: GoldenRow): string {
  const parts = [state.padEnd(9), file.padEnd(44)];
  if (total > 0) parts.push(`${compared}/${total} tensors`);
  if (worst) parts.push(`worst ${worst.tensor}: ${worst.error.toExponential(1)} of ${worst.limit.toExponential(1)}`);
  if (total > compared) parts.push(`${total - compared} not compared`);
  if (reason) parts.push(reason);
  return parts.join('  ');
}
