/** One cell of a comparison: a model trained with one seed and evaluated, kept in a folder of its own. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Scale } from '../../ranking/combine';
import type { BestEpoch, EpochResult } from '../../train/fit';
import type { Metrics } from '../../train/metrics';
import { quoted } from '../command-line';
import type { Context } from '../context';
import { exists, replaceFile } from '../durable';
import { CommandError, EXIT } from '../errors';
import { keep, kept } from '../kept';
import { type Printed, runJson } from '../run-json';
import type { Auto } from '../settings';
import { CHECKPOINT } from '../training-checkpoint';
import { codeHash } from '../version';

/** What is trained and on what it is tested: two cells with the same plan have the same result. */
export interface CellPlan {
  /** Name in the report: the model, or what a variant is called. */
  readonly name: string;
  readonly model: string;
  readonly preset?: string;
  /** Why the row has its settings, where the log has chosen them. */
  readonly auto?: Auto;
  readonly config: Readonly<Record<string, unknown>>;
  readonly isNeural: boolean;
  readonly seed: number;
  readonly train: string;
  readonly test: string;
  /** Flags that say how both files are read. */
  readonly reading: readonly string[];
  readonly protocol: string;
  readonly backend: string;
  readonly epochs?: number;
  /** What chooses the number of epochs where none is given. Default: the last tenth of the log. */
  readonly valid?: string;
  /** Last events of every session that are not learnt from; the first of them chooses the epochs, as leave-one-out has it. */
  readonly holdout?: number;
  /** File that says what is known of the items, for models that read it. */
  readonly catalogue?: string;
  /** Of the incremental protocol: the window that is tested. */
  readonly step?: string;
  /** Artifact of the window before that the training goes on from. */
  readonly from?: string;
}

/** What a finished cell holds. */
export interface CellResult {
  /** Of the training that chose the number of epochs, where there was one; empty for counting baselines. */
  readonly epochs: readonly EpochResult[];
  /** Of these, the one that was chosen, where a validation chose. */
  readonly best?: BestEpoch;
  readonly metrics: { readonly conservative: Metrics; readonly standard: Metrics };
  readonly coverage: number;
  readonly popularity: number;
  readonly predictions: number;
  readonly sessions: number;
  /** Events of unknown items and sessions too short that the evaluation left out. */
  readonly dropped: { readonly events: number; readonly sessions: number };
  /** Of the training that was tested, by the clock and of processor time. */
  readonly trainSeconds: number;
  readonly processorSeconds: number;
  readonly evaluateSeconds: number;
  /** The most that the process held up to the end of the training. */
  readonly peakMemoryBytes: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly commands: readonly string[];
  /** Where several models were asked together: how. */
  readonly blend?: Blended;
}

/** How the scores of several models became one row. */
export interface Blended {
  readonly by: Scale;
  /** Names of the rows that are its parts. */
  readonly of: string;
  readonly with?: string;
  /** Of an ensemble: those of its equal parts. */
  readonly seeds?: readonly number[];
  /** Share of `with`, and what it reached on the validation part where it was chosen there. */
  readonly weight?: number;
  readonly chosen?: { readonly metric: string; readonly value: number };
}

/** One prediction: its session's number in the file, the position seen last, the target's id, its conservative rank. */
export interface Rank {
  readonly session: string;
  readonly position: number;
  readonly item: string;
  readonly rank: number;
}

export interface Cell {
  readonly plan: CellPlan;
  /** Where it is kept; of a mean over windows, where the last one is. */
  readonly folder: string;
  readonly result: CellResult;
  readonly ranks: readonly Rank[];
  /** Where the cell is the mean over windows: each of them. */
  readonly windows?: readonly { readonly name: string; readonly result: CellResult }[];
}

const RESULT = 'result.json';
const RANKS = 'ranks.tsv';
const CHOICE = 'choice.json';
/** The artifact of the training that chose the number of epochs, beside that of all that there is to learn. */
const VALIDATED = 'validated';
/** Of what a cell keeps: cells of another form are computed again. */
const FORM = 3;

/** The folder of a cell: a name that a person can read, and a hash of all that its result follows from. */
export function cellFolder(out: string, plan: CellPlan, contents: Readonly<Record<string, string>>): string {
  const { train, test, catalogue, from, valid, name: _, auto: __, ...rest } = plan;
  const files = {
    train: contents[train],
    test: contents[test],
    ...(catalogue !== undefined && { catalogue: contents[catalogue] }),
    ...(from !== undefined && { from: basename(dirname(from)) }),
    ...(valid !== undefined && { valid: contents[valid] ?? valid }),
  };
  const identity = JSON.stringify({ ...rest, ...files, code: codeHash(), form: FORM });
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  const words = [fileName(plan), ...(plan.step === undefined ? [] : [plan.step]), plan.seed, hash];
  return join(out, 'cells', words.join('-'));
}

/** The artifact of a network that has not learnt from what chose its epochs; of no use where they were given. */
export const validatedOf = (folder: string): string => join(folder, VALIDATED);

/** The artifact that a cell trains; its name is that of its folder. */
export const artifactOf = (folder: string, plan: CellPlan): string => join(folder, fileName(plan));

const fileName = ({ name }: CellPlan): string => name.replace(/[^\w.-]+/g, '_');

/** A cell that was finished before; nothing where there is none, or what is there is damaged. */
export async function readCell(folder: string, plan: CellPlan): Promise<Cell | undefined> {
  try {
    const { checksum, ...result } = JSON.parse(await readFile(join(folder, RESULT), 'utf8')) as CellResult & {
      checksum: string;
    };
    const ranks = await readFile(join(folder, RANKS), 'utf8');
    if (checksum !== checksumOf(result, ranks)) return undefined;
    return { plan, folder, result, ranks: parseRanks(ranks) };
  } catch {
    return undefined; // it is computed again, whatever is wrong with it
  }
}

/**
 * Trains and evaluates. A network learns twice, unless its epochs are given: first without the last tenth of the log, which
 * chooses the number of epochs, then from all of it, so that every model of a comparison knows the same items. An
 * interrupted training goes on where it stopped. Where every session holds out its last events, nothing is learnt from them
 * afterwards either: what the first of them has chosen is what is tested.
 *
 * @throws RecommenderError `aborted`.
 * @throws CommandError for a model that cannot be trained or evaluated: what its command said.
 */
export async function computeCell(
  folder: string,
  plan: CellPlan,
  context: Pick<Context, 'run' | 'stderr' | 'signal'>,
): Promise<Cell> {
  const commands: string[] = [];
  const run = runner(context, commands);
  await mkdir(folder, { recursive: true });
  const artifact = artifactOf(folder, plan);
  const chooses = plan.isNeural && plan.epochs === undefined;
  const chosen = chooses && plan.holdout === undefined ? await choose(plan, folder, run, commands) : undefined;
  const trained = await train(
    plan,
    artifact,
    run,
    chosen ? { epochs: chosen.best.epoch, scale: chosen.scale } : usual(plan),
  );
  const tested = await askTestPart(folder, plan, ['--artifact', artifact], run);
  const size = await runJson(['inspect', artifact], context);
  const { epochs, best } = chosen ?? trained;
  return keepCell(folder, plan, {
    epochs,
    ...(chooses && { best }),
    ...tested,
    ...{ trainSeconds: trained.seconds, processorSeconds: trained.processorSeconds },
    peakMemoryBytes: trained.peakMemoryBytes,
    parameters: size.parameters,
    bytes: size.bytes,
    commands,
  });
}

export type Run = (argv: readonly string[]) => Promise<Printed>;

/** Runs commands, and keeps them as one may type them again. */
export function runner(context: Pick<Context, 'run' | 'stderr' | 'signal'>, commands: string[]): Run {
  return (argv) => {
    commands.push(['aisle', ...argv].map(quoted).join(' '));
    return runJson(argv, context);
  };
}

/** What an evaluation on the test part says, and its ranks in the folder. */
export async function askTestPart(folder: string, plan: CellPlan, artifacts: readonly string[], run: Run) {
  const tested = await run([
    'evaluate',
    ...[...artifacts, '--data', plan.test, '--protocol', plan.protocol, '--ranks', join(folder, RANKS)],
    ...['--backend', plan.backend, ...plan.reading],
  ]);
  return {
    metrics: tested.metrics as CellResult['metrics'],
    coverage: tested['coverage@20'] as number,
    popularity: tested['popularity@20'] as number,
    ...{ predictions: tested.n as number, sessions: tested.sessions as number },
    dropped: tested.dropped as CellResult['dropped'],
    evaluateSeconds: tested.seconds as number,
  };
}

/** The finished cell, whose ranks are in its folder. */
export async function keepCell(folder: string, plan: CellPlan, result: CellResult): Promise<Cell> {
  const ranks = await readFile(join(folder, RANKS), 'utf8');
  const checksum = checksumOf(result, ranks);
  await replaceFile(join(folder, RESULT), `${JSON.stringify({ ...result, checksum }, null, 2)}\n`);
  return { plan, folder, result, ranks: parseRanks(ranks) };
}

/** What `train` says of a training that chose the number of epochs. */
interface Choice {
  readonly epochs: readonly EpochResult[];
  readonly best: BestEpoch;
  /** Fitted on the part that chose; absent where none fits. */
  readonly scale?: number;
  readonly command: string;
}

/** The training that chooses the number of epochs, kept once it has ended: the other one of the cell may be interrupted. */
async function choose(
  plan: CellPlan,
  folder: string,
  run: (argv: string[]) => Promise<Printed>,
  commands: string[],
): Promise<Choice> {
  const path = join(folder, CHOICE);
  const known = await kept<Choice>(path);
  if (known) {
    commands.push(known.command);
    return known;
  }
  const { epochs, best, scale } = await train(plan, validatedOf(folder), run, usual(plan));
  const choice: Choice = { epochs, best, scale, command: commands.at(-1)! };
  await keep(path, choice);
  return choice;
}

/** How long a training lasts: so many epochs, with the scale of the training that chose them, or as a validation part wants. */
type Length = Pick<CellPlan, 'epochs' | 'valid'> & { readonly scale?: number | undefined };

/** As the plan has it. */
function usual({ isNeural, epochs, valid, holdout }: CellPlan): Length {
  if (!isNeural) return {};
  if (epochs !== undefined) return { epochs };
  if (holdout !== undefined) return { valid: 'held-out' };
  return valid === undefined ? {} : { valid };
}

/** The JSON object of a training. */
async function train(
  plan: CellPlan,
  artifact: string,
  run: (argv: string[]) => Promise<Printed>,
  { epochs, valid, scale }: Length,
) {
  const settings = Object.entries(plan.config).map(
    ([key, value]) => `${key}=${Array.isArray(value) ? value.join('/') : value}`,
  );
  const argv = [
    'train',
    ...['--data', plan.train, '--model', plan.model, '--out', artifact, '--seed', `${plan.seed}`],
    ...(plan.from === undefined ? [] : ['--from', plan.from]),
    ...(plan.preset === undefined ? [] : ['--preset', plan.preset]),
    ...(epochs === undefined ? [] : ['--epochs', `${epochs}`]),
    ...(valid === undefined ? [] : ['--valid', valid]),
    ...(scale === undefined ? [] : ['--scale', `${scale}`]),
    ...(plan.holdout === undefined ? [] : ['--holdout', `${plan.holdout}`]),
    ...(plan.catalogue === undefined ? [] : ['--catalogue', plan.catalogue]),
    ...settings.flatMap((setting) => ['--set', setting]),
    ...['--backend', plan.backend, ...plan.reading],
  ];
  if (await exists(join(artifact, CHECKPOINT))) {
    try {
      return await run([...argv, '--resume']);
    } catch (error) {
      if (!(error instanceof CommandError && error.exitCode === EXIT.wrongUse)) throw error;
      await rm(artifact, { recursive: true }); // a checkpoint that cannot be used
    }
  }
  return run(argv);
}

const checksumOf = (result: CellResult, ranks: string): string =>
  createHash('sha256').update(JSON.stringify(result)).update(ranks).digest('hex');

/** The file of `aisle evaluate --ranks`; `write-ranks.ts` says how ids with tabs and line breaks stand in it. */
function parseRanks(text: string): Rank[] {
  return tsvRows(text)
    .slice(1)
    .map(([session, position, item, rank]) => ({
      ...{ session: session!, position: Number(position), item: item!, rank: Number(rank) },
    }));
}

function tsvRows(text: string): string[][] {
  if (!text.startsWith('"')) return text.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')]));
  const rows: string[][] = [[]];
  // Either a quoted cell or a plain one, and what ends it.
  for (const [, quotedCell, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^\t\n"]*))(\t|\n)/g)) {
    rows.at(-1)!.push(quotedCell === undefined ? plain! : quotedCell.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  return rows.slice(0, -1);
}
