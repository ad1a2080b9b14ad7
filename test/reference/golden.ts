/**
 * `npm run golden -- DIR [--only PREFIX] [--backend cpu|wasm] [--json]`: compares our computations with the tensors that
 * reference implementations left in a folder. Exit 1 on any `miss` or `unknown`.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { wasmPath } from '../../src/cli/wasm-path';
import { startBackend } from '../../src/engine/backends/index';
import { registerTraining } from '../../src/engine/backends/training';
import { type GoldenRow, goldenFiles, runGolden } from './golden/run';

const BACKENDS = ['cpu', 'wasm'] as const;

export async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { only: { type: 'string' }, backend: { type: 'string', default: 'cpu' }, json: { type: 'boolean' } },
  });
  const [folder] = positionals;
  const backend = BACKENDS.find((name) => name === values.backend);
  if (folder === undefined || !backend) {
    console.error(`Usage: npm run golden -- DIR [--only PREFIX] [--backend ${BACKENDS.join('|')}] [--json]`);
    process.exitCode = 2;
    return;
  }
  await startBackend(backend, { wasmPath: wasmPath() });
  await registerTraining();
  const rows: GoldenRow[] = [];
  for (const name of goldenFiles(resolve(folder), values.only)) rows.push(await runGolden(resolve(folder), name));
  if (values.json) console.log(JSON.stringify(rows));
  else for (const row of rows) console.log(line(row));
  if (rows.length === 0)
    console.error(`No golden file in ${folder}${values.only ? ` starts with ${values.only}` : ''}.`);
  const isGood = rows.length > 0 && rows.every(({ state }) => state === 'ok' || state === 'not-built');
  process.exitCode = isGood ? 0 : 1;
}

function line({ file, state, compared, total, worst, reason }: GoldenRow): string {
  const parts = [state.padEnd(9), file.padEnd(44)];
  if (total > 0) parts.push(`${compared}/${total} tensors`);
  if (worst) parts.push(`worst ${worst.tensor}: ${worst.error.toExponential(1)} of ${worst.limit.toExponential(1)}`);
  if (total > compared) parts.push(`${total - compared} not compared`);
  if (reason) parts.push(reason);
  return parts.join('  ');
}
