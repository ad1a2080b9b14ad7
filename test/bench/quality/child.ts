/** Computes one cell of a comparison as a process of its own, so that its memory is its own; started with `Work` as JSON. */
import { type Blend, type BlendJob, computeBlend, type Part } from '../../../src/cli/compare/blend';
import { type CellPlan, computeCell, readCell } from '../../../src/cli/compare/cell';
import { EXIT, exitCode } from '../../../src/cli/errors';
import { tameLibraries } from '../../../src/cli/libraries';
import { run } from '../../../src/cli/main';

/** A cell: where it is, and what makes it. */
export interface Place {
  readonly folder: string;
  readonly plan: CellPlan;
}

export interface Work extends Place {
  /** Cells that are there and asked together; absent where the plan says what is trained. */
  readonly together?: { readonly blend: Blend; readonly parts: readonly Place[]; readonly mixed?: Place };
}

const { folder, plan, together }: Work = JSON.parse(process.argv[2]!);
tameLibraries(false);
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
  });
}
const context = { run, stderr: process.stderr, signal: interruption.signal };
try {
  if (!(await readCell(folder, plan))) {
    if (together) await computeBlend(folder, await jobOf(together), context);
    else await computeCell(folder, plan, context);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = exitCode(error);
}

async function jobOf({ blend, parts, mixed }: NonNullable<Work['together']>): Promise<BlendJob> {
  const read = async ({ folder, plan }: Place): Promise<Part> => {
    const cell = await readCell(folder, plan);
    if (!cell) throw new Error(`${plan.name}, seed ${plan.seed}, is not there to be asked.`);
    return cell;
  };
  const found: Part[] = [];
  for (const part of parts) found.push(await read(part));
  return { blend, parts: found, ...(mixed && { mixed: await read(mixed) }) };
}
