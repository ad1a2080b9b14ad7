/**
 * Rows of several models asked together: the ensemble of a row's seeds, and a row mixed with another, such as a neighbour method.
 * What they are made of was trained for rows of its own; here it is only asked.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RecommenderError } from '../../errors';
import type { Scale } from '../../ranking/combine';
import type { Context } from '../context';
import { codeHash } from '../version';
import { artifactOf, askTestPart, type Cell, type CellPlan, keepCell, type Run, runner, validatedOf } from './cell';
import { countWithout, validationPart } from './validation-part';

export interface Blend {
  readonly name: string;
  /** Name of the row whose seeds are the equal parts, or that is mixed. */
  readonly of: string;
  /** Name of the row that is mixed in. */
  readonly with?: string;
  readonly combine: Scale;
  /** Share of what is mixed in. Default: the best of `WEIGHTS` on the validation part. */
  readonly weight?: number;
}

/** Shares that a validation part chooses from. */
const WEIGHTS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8];

/** What of a finished cell is asked again. */
export type Part = Pick<Cell, 'plan' | 'folder' | 'result'>;

/** One blended cell to be. */
export interface BlendJob {
  readonly blend: Blend;
  /** All seeds of an ensemble, or the one that is mixed. */
  readonly parts: readonly Part[];
  readonly mixed?: Part;
}

/** The jobs of a blend: one of all seeds, or one for each seed that is mixed. */
export function blendJobs(blend: Blend, cells: readonly Part[]): BlendJob[] {
  const named = (name: string) => cells.filter(({ plan }) => plan.name === name);
  const parts = named(blend.of);
  if (blend.with === undefined) return parts.length > 1 ? [{ blend, parts }] : [];
  const others = named(blend.with);
  return parts.flatMap((part) => {
    const mixed = others.find(({ plan }) => plan.seed === part.plan.seed) ?? others[0];
    return mixed ? [{ blend, parts: [part], mixed }] : [];
  });
}

/** As the plan of a cell of its own; never under the model's name. */
export const blendPlan = ({ blend, parts }: BlendJob): CellPlan => ({
  ...parts[0]!.plan,
  ...{ name: blend.name, model: blend.with === undefined ? 'ensemble' : 'mixture', config: {} },
});

/** Its folder follows from those of its parts. */
export function blendFolder(out: string, { blend, parts, mixed }: BlendJob): string {
  const { name, of: _, with: __, ...how } = blend;
  const folders = [...parts, ...(mixed ? [mixed] : [])].map(({ folder }) => basename(folder));
  const hash = createHash('sha256')
    .update(JSON.stringify([how, folders, codeHash()]))
    .digest('hex')
    .slice(0, 12);
  return join(out, 'cells', `${name.replace(/[^\w.-]+/g, '_')}-${parts[0]!.plan.seed}-${hash}`);
}

/**
 * Asks the parts together. The share of a mixture is chosen on the validation part, by models that have not learnt from it.
 *
 * @throws CommandError where a command fails; RecommenderError `bad-config` where nothing could choose; `aborted`.
 */
export async function computeBlend(
  folder: string,
  job: BlendJob,
  context: Pick<Context, 'run' | 'stderr' | 'signal'>,
): Promise<Cell> {
  const { blend, parts, mixed } = job;
  const plan = blendPlan(job);
  const commands: string[] = [];
  const run = runner(context, commands);
  await mkdir(folder, { recursive: true });
  const asked = parts.flatMap((part) => ['--artifact', trainedOf(part)]);
  const by = ['--combine', blend.combine];
  const share = mixed && (await shareOf(blend, parts[0]!, mixed, folder, run));
  const mix = mixed && share ? ['--mix', `${trainedOf(mixed)}:${share.weight}`] : [];
  const tested = await askTestPart(folder, plan, [...asked, ...mix, ...by], run);
  const all = [...parts, ...(mixed ? [mixed] : [])].map(({ result }) => result);
  const sum = (of: (result: Cell['result']) => number) => all.reduce((total, result) => total + of(result), 0);
  return keepCell(folder, plan, {
    epochs: [],
    ...tested,
    ...{ trainSeconds: sum((r) => r.trainSeconds), processorSeconds: sum((r) => r.processorSeconds) },
    peakMemoryBytes: Math.max(...all.map((r) => r.peakMemoryBytes)),
    ...{ parameters: sum((r) => r.parameters), bytes: sum((r) => r.bytes) },
    commands,
    blend: {
      ...{ by: blend.combine, of: blend.of },
      ...(share ? { with: blend.with!, ...share } : { seeds: parts.map(({ plan }) => plan.seed) }),
    },
  });
}

const trainedOf = ({ folder, plan }: Part): string => artifactOf(folder, plan);

/** The weight that is given, or the one that does best where both models have not learnt. */
async function shareOf({ weight, combine }: Blend, first: Part, second: Part, folder: string, run: Run) {
  if (weight !== undefined) return { weight };
  const { artifacts, asked } = await unvalidated(first, second, folder, run);
  const { weights } = await run([
    'evaluate',
    ...['--artifact', artifacts[0], '--mix', `${artifacts[1]}:${WEIGHTS.join(',')}`, '--combine', combine],
    ...[...asked, '--backend', first.plan.backend],
  ]);
  const metric = 'mrr@20';
  const found = weights as { readonly weight: number; readonly metrics: Readonly<Record<string, number>> }[];
  const best = found.reduce((a, b) => (b.metrics[metric]! > a.metrics[metric]! ? b : a));
  return { weight: best.weight, chosen: { metric, value: best.metrics[metric]! } };
}

/** Both models without the validation part, and how to ask them of it. */
async function unvalidated(first: Part, second: Part, folder: string, run: Run) {
  const { plan } = first;
  if (plan.holdout !== undefined) {
    // The event that chose the epochs was not learnt from afterwards.
    const { asked } = await validationPart(plan, folder, run);
    return { artifacts: [trainedOf(first), trainedOf(second)] as const, asked };
  }
  if ([first, second].some(({ plan }) => plan.isNeural && plan.epochs !== undefined)) {
    throw new RecommenderError(
      'bad-config',
      'Which share of a mixture is best is chosen on the validation part, and with given epochs there is none. ' +
        'Leave the epochs out, or give the mixture a "weight".',
    );
  }
  if (!plan.isNeural) {
    throw new RecommenderError('bad-config', 'A mixture is of a network and something else; name the network first.');
  }
  const part = await validationPart(plan, join(folder, 'parts'), run);
  const counted = join(folder, 'counted');
  if (!second.plan.isNeural) await countWithout(second.plan, part, counted, run);
  const other = second.plan.isNeural ? validatedOf(second.folder) : counted;
  return { artifacts: [validatedOf(first.folder), other] as const, asked: part.asked };
}
