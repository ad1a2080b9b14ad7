/** One run of a comparison: a model trained with one seed and evaluated, with a folder of its own. */
import type { BackendChoice } from '../../compute/types';
import { RecommenderError } from '../../errors';
import { NONE } from '../../models/presets/preset';
import type { Scale } from '../../ranking/combine';
import { type ReadOptions, withoutMinima } from '../../session/options';
import type { Exposure } from '../../train/evaluate';
import type { BestEpoch, EpochResult } from '../../train/fit';
import type { Metrics } from '../../train/metrics';
import type { Protocol } from '../../train/types';
import { asGiven, evaluateCommand, trainCommand } from '../commands';
import type { Auto, Settings } from '../configuration';
import { defined } from '../defined';
import { isAborted, isUserError } from '../errors';
import { evaluate } from '../evaluate';
import { inspectArtifact } from '../files/artifact-folder';
import {
  basename,
  dirname,
  exists,
  hashOf,
  join,
  makeFolder,
  readCache,
  readText,
  remove,
  replaceFile,
  shortHash,
  writeCache,
} from '../files/disk';
import { parseRanks, type Rank } from '../files/ranks';
import { stopwatch } from '../files/usage';
import type { Observer } from '../observer';
import type { EvaluateOptions, TrainOptions } from '../options';
import { type TrainResult, trainAlone } from '../train';
import { CHECKPOINT } from '../training-checkpoint';
import { codeHash } from '../version';

/** What to train and test: runs with equal plans have equal results. */
export interface RunPlan {
  /** Name in the report: the model, or what a variant is called. */
  readonly name: string;
  readonly model: string;
  readonly preset?: string;
  /** Why the row has its settings, if the log has chosen them. */
  readonly auto?: Auto;
  readonly config: Settings;
  readonly isNeural: boolean;
  readonly seed: number;
  readonly train: string;
  readonly test: string;
  /** How both files are read; a test part of its own without the minima. */
  readonly read: ReadOptions;
  readonly protocol: Protocol;
  readonly backend: BackendChoice;
  readonly epochs?: number;
  /** What chooses the number of epochs where none is given. Default: the last tenth of the log. */
  readonly valid?: string;
  /** Number of held-out last events of every session; the first of them chooses the epochs. */
  readonly holdout?: number;
  /** File that says what is known of the items, for models that read it. */
  readonly catalogue?: string;
  /** Of the incremental protocol: the window that is tested. */
  readonly step?: string;
  /** Artifact that the training continues: that of `from`, or of the window before. */
  readonly from?: string;
}

/** What a finished run holds. */
export interface RunResult {
  /** Of the training that chose the number of epochs, if there was one; empty for counting baselines. */
  readonly epochs: readonly EpochResult[];
  /** The epoch that the validation chose, if there was one. */
  readonly best?: BestEpoch;
  readonly metrics: { readonly conservative: Metrics; readonly standard: Metrics };
  readonly coverage: number;
  readonly popularity: number;
  /** Absent where there was no list, and of several windows. */
  readonly exposure?: Exposure;
  readonly predictions: number;
  readonly sessions: number;
  /** Events of unknown items and sessions too short that the evaluation left out. */
  readonly dropped: { readonly events: number; readonly sessions: number };
  /** Of the training that was tested, by the clock and of processor time. */
  readonly trainSeconds: number;
  readonly processorSeconds: number;
  readonly evaluateSeconds: number;
  /** Of opening the artifact and evaluating it. */
  readonly evaluateProcessorSeconds: number;
  /** The most that the process held up to the end of the training. */
  readonly peakMemoryBytes: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly commands: readonly string[];
  /** How several models were combined, if this is a run of several. */
  readonly blend?: Combined;
}

/** How the scores of several models became one row. */
export interface Combined {
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

export interface Run {
  readonly plan: RunPlan;
  /** Its folder; for a mean over windows that of the last window. */
  readonly folder: string;
  readonly result: RunResult;
  readonly ranks: readonly Rank[];
  /** The windows, if the run is a mean over them. */
  readonly windows?: readonly { readonly name: string; readonly result: RunResult }[];
}

/** Folder of the runs, inside that of the comparison. */
export const CELLS = 'cells';
export const RESULT = 'result.json';
const RANKS = 'ranks.tsv';
const CHOICE = 'choice.json';
/** The artifact of the training that chose the number of epochs, beside that of the whole training part. */
const VALIDATED = 'validated';
/** Version of the files of a run: runs of another version are computed again. */
const FORM = 4;

/** The folder of a run: a name that a person can read, and a hash of all that its result follows from. */
export function runFolder(out: string, plan: RunPlan, contents: Readonly<Record<string, string>>): string {
  const { train, test, catalogue, from, valid, name: _, auto: __, ...rest } = plan;
  const files = {
    train: contents[train],
    test: contents[test],
    ...(catalogue !== undefined && { catalogue: contents[catalogue] }),
    ...(from !== undefined && { from: contents[from] ?? basename(dirname(from)) }),
    ...(valid !== undefined && { valid: contents[valid] ?? valid }),
  };
  const hash = shortHash({ ...rest, ...files, code: codeHash(), form: FORM });
  const words = [fileName(plan.name), ...(plan.step === undefined ? [] : [plan.step]), plan.seed, hash];
  return join(out, CELLS, words.join('-'));
}

/** A row's name as that of a file. */
export const fileName = (name: string): string => name.replace(/[^\w.-]+/g, '_');

/** The artifact of a network that has not trained on the part that chose its epochs. */
export const validatedOf = (folder: string): string => join(folder, VALIDATED);

/** Whether a row's name is that of another file or folder beside its artifact. */
export const isTaken = (name: string): boolean =>
  [VALIDATED, RESULT, RANKS, CHOICE, '.', '..'].includes(fileName(name));

/** The artifact that a run trains; its name is that of its folder. */
export const artifactOf = (folder: string, { name }: RunPlan): string => join(folder, fileName(name));

/** A finished run; undefined if there is none, or if its files are damaged. */
export async function readRun(folder: string, plan: RunPlan): Promise<Run | undefined> {
  try {
    const { checksum, ...result } = JSON.parse(await readText(join(folder, RESULT))) as RunResult & {
      checksum: string;
    };
    const ranks = await readText(join(folder, RANKS));
    if (checksum !== checksumOf(result, ranks)) return undefined;
    return { plan, folder, result, ranks: parseRanks(ranks) };
  } catch {
    return undefined; // compute it again
  }
}

/** What `testRun` has left. */
export const readRanks = async (folder: string): Promise<Rank[]> => parseRanks(await readText(join(folder, RANKS)));

/** Writes the result of a run, whose ranks are in its folder already. */
export async function writeRun(folder: string, plan: RunPlan, result: RunResult): Promise<Run> {
  const ranks = await readText(join(folder, RANKS));
  const checksum = checksumOf(result, ranks);
  await replaceFile(join(folder, RESULT), `${JSON.stringify({ ...result, checksum }, null, 2)}\n`);
  return { plan, folder, result, ranks: parseRanks(ranks) };
}

const checksumOf = (result: RunResult, ranks: string): string => hashOf(JSON.stringify(result) + ranks);

/**
 * Trains and evaluates. A network trains twice, unless its epochs are given: first without the last tenth of the log, which
 * chooses the number of epochs, then on all of it, so that all models of a comparison know the same items. An interrupted
 * training resumes. With `holdout`, the network that the first held-out event has chosen is tested without another training.
 *
 * @throws RecommenderError `aborted`; what `train` and `evaluate` throw.
 */
export async function computeRun(folder: string, plan: RunPlan, observer: Observer): Promise<Run> {
  const commands: string[] = [];
  await makeFolder(folder);
  const artifact = artifactOf(folder, plan);
  const chooses = plan.isNeural && plan.epochs === undefined;
  const chosen = chooses && plan.holdout === undefined ? await choose(plan, folder, commands, observer) : undefined;
  const length = chosen ? { epochs: chosen.best.epoch, scale: chosen.scale } : usual(plan);
  const trained = await trainPlan(plan, artifact, length, commands, observer);
  const tested = await testRun(folder, plan, { artifacts: [artifact] }, commands, observer);
  const { parameters, bytes } = await inspectArtifact(artifact);
  const { epochs, best } = chosen ?? trained;
  return writeRun(folder, plan, {
    epochs,
    ...(chooses && best && { best }),
    ...tested,
    trainSeconds: trained.seconds,
    processorSeconds: trained.processorSeconds,
    peakMemoryBytes: trained.peakMemoryBytes,
    parameters,
    bytes,
    commands,
  });
}

/** Evaluates artifacts on the test part of a plan, and leaves the ranks in the folder. */
export async function testRun(
  folder: string,
  { train, test: data, protocol, backend, read: readOfLog }: RunPlan,
  combination: Pick<EvaluateOptions, 'artifacts' | 'mix' | 'combine' | 'candidates'>,
  commands: string[],
  observer: Observer,
) {
  const read = data === train ? readOfLog : withoutMinima(readOfLog);
  const options = { ...combination, data, protocol, ranks: join(folder, RANKS), backend, read };
  commands.push(evaluateCommand(options));
  const spent = stopwatch();
  const { evaluation, exposure } = await evaluate({ ...options, ...observer });
  return {
    metrics: evaluation.metrics,
    coverage: evaluation['coverage@20'],
    popularity: evaluation['popularity@20'],
    ...(exposure && { exposure }),
    predictions: evaluation.n,
    sessions: evaluation.sessions,
    dropped: evaluation.dropped,
    evaluateSeconds: evaluation.seconds,
    evaluateProcessorSeconds: spent().processorSeconds,
  };
}

/** The result of the training that chose the number of epochs. */
interface Choice {
  readonly epochs: readonly EpochResult[];
  readonly best: BestEpoch;
  /** Fitted on the part that chose; absent where none fits. */
  readonly scale?: number | undefined;
  readonly command: string;
}

/** The training that chooses the number of epochs. Its result is cached, because the second training may be interrupted. */
async function choose(plan: RunPlan, folder: string, commands: string[], observer: Observer): Promise<Choice> {
  const path = join(folder, CHOICE);
  const known = await readCache<Choice>(path);
  if (known) {
    commands.push(known.command);
    return known;
  }
  const { epochs, best, scale } = await trainPlan(plan, validatedOf(folder), usual(plan), commands, observer);
  const choice = { epochs, best: best!, scale, command: commands.at(-1)! };
  await writeCache(path, choice);
  return choice;
}

/** How long to train: a number of epochs with the scale of the training that chose them, or until validation stops it. */
type Length = Pick<RunPlan, 'epochs' | 'valid'> & { readonly scale?: number | undefined };

/** As the plan has it. */
function usual({ isNeural, epochs, valid, holdout }: RunPlan): Length {
  if (!isNeural) return {};
  if (epochs !== undefined) return { epochs };
  if (holdout !== undefined) return { valid: 'held-out' };
  return valid === undefined ? {} : { valid };
}

async function trainPlan(
  plan: RunPlan,
  out: string,
  { epochs, valid, scale }: Length,
  commands: string[],
  observer: Observer,
): Promise<TrainResult> {
  const { train: data, model, seed, from, preset, holdout, catalogue, config, backend, read } = plan;
  const options: TrainOptions = {
    data,
    model,
    out,
    seed,
    config,
    backend,
    read,
    // The figures of a comparison are those of the settings and the part that the plan names.
    ...(plan.isNeural && from === undefined && { preset: preset ?? NONE }),
    ...(plan.isNeural && epochs === undefined && { refit: 'no' as const }),
    ...defined({ from, epochs, valid, scale, holdout, catalogue }),
  };
  const command = trainCommand(options, asGiven);
  // A training advises options that its caller has not.
  const train = (resumed: TrainOptions) =>
    trainAlone({ ...resumed, ...observer }).catch((cause) => {
      throw isAborted(cause)
        ? new RecommenderError('aborted', `Interrupted in the training of ${plan.name}.`, { cause })
        : cause;
    });
  if (await exists(join(out, CHECKPOINT))) {
    commands.push(`${command} --resume`);
    try {
      return await train({ ...options, resume: true });
    } catch (error) {
      if (!isUserError(error)) throw error;
      await remove(out); // a checkpoint that cannot be used
    }
  }
  commands.push(command);
  return train(options);
}
