/** Computes one run of a comparison as a process of its own, so that its memory is its own; started with `Work` as JSON. */
import { EXIT, exitCode } from '../../../src/cli/errors';
import { tameLibraries } from '../../../src/cli/libraries';
import { observe } from '../../../src/cli/progress';
import { computeEnsemble, type Ensemble, type EnsembleJob, type Part } from '../../../src/pipeline/compare/ensemble';
import { computeRun, type RunPlan, readRun } from '../../../src/pipeline/compare/run';

/** A run: where it is, and what makes it. */
export interface RowFolder {
  readonly folder: string;
  readonly plan: RunPlan;
}

export interface Work extends RowFolder {
  /** Runs that are there and evaluated together; absent where the plan says what is trained. */
  readonly together?: { readonly ensemble: Ensemble; readonly parts: readonly RowFolder[]; readonly mixed?: RowFolder };
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
const observer = observe({ stderr: process.stderr, signal: interruption.signal });
try {
  if (!(await readRun(folder, plan))) {
    if (together) await computeEnsemble(folder, await jobOf(together), observer);
    else await computeRun(folder, plan, observer);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = exitCode(error);
}

async function jobOf({ ensemble, parts, mixed }: NonNullable<Work['together']>): Promise<EnsembleJob> {
  const read = async ({ folder, plan }: RowFolder): Promise<Part> => {
    const run = await readRun(folder, plan);
    if (!run) throw new Error(`${plan.name}, seed ${plan.seed}, is not there to be evaluated.`);
    return run;
  };
  const found: Part[] = [];
  for (const part of parts) found.push(await read(part));
  return { ensemble, parts: found, ...(mixed && { mixed: await read(mixed) }) };
}
