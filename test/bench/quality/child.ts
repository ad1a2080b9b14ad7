/** Trains and tests one cell of a comparison as a process of its own, so that its memory is its own; started with `Work` as JSON. */
import { type CellPlan, computeCell, readCell } from '../../../src/cli/compare/cell';
import { EXIT, exitCode } from '../../../src/cli/errors';
import { tameLibraries } from '../../../src/cli/libraries';
import { run } from '../../../src/cli/main';

export interface Work {
  readonly folder: string;
  readonly plan: CellPlan;
}

const { folder, plan }: Work = JSON.parse(process.argv[2]!);
tameLibraries(false);
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
  });
}
try {
  if (!(await readCell(folder, plan))) {
    await computeCell(folder, plan, { run, stderr: process.stderr, signal: interruption.signal });
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = exitCode(error);
}
