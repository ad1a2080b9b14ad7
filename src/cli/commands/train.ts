import { rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import {
  type Artifact,
  type CatalogueItem,
  REPLAY_OFFSETS_TENSOR,
  REPLAY_TENSOR,
  USERS_TENSOR,
} from '../../checkpoint/artifact';
import { sha256 } from '../../checkpoint/sha256';
import { encodeSafetensors } from '../../checkpoint/write-safetensors';
import { run as runOnDevice } from '../../compute/executor';
import type { BackendChoice } from '../../compute/types';
import { RecommenderError } from '../../errors';
import { models } from '../../models/index';
import { AUTO } from '../../models/presets/preset';
import { whyIndivisible } from '../../models/training';
import { catalogueOf } from '../../ranking/load-scorer';
import { sessionCount } from '../../session/event-log';
import { drawReplay } from '../../session/replay';
import { SHARDS } from '../../train/data-parallel';
import { type EpochResult, type FitState, Interrupted, type Spent } from '../../train/fit';
import { type Learnt, learn } from '../../train/learn';
import { checkReplaceable, readArtifactFolder, writeArtifactFolder } from '../artifact-folder';
import { readCatalogueFile, warnOfGaps } from '../catalogue-file';
import { type TrainingCommand, trainingCommand, UNLICENSED } from '../command-line';
import { type Context, contextOf, printJson } from '../context';
import { exists } from '../durable';
import { UsageError } from '../errors';
import { modelCard } from '../model-card';
import { optionTable } from '../option-table';
import { addEventsOptions, integer, oneOf, positive, readOptions } from '../options';
import { createProgress, duration, type Progress, whole } from '../progress';
import { type Auto, checkedConfiguration, configurationFrom, parseSetting } from '../settings';
import { startFirst } from '../start-backend';
import { startThreads, type ThreadOptions } from '../threads';
import { CHECKPOINT, type RunIdentity, readCheckpoint, writeCheckpoint } from '../training-checkpoint';
import { fingerprints, parseValid, type TrainingParts, trainingParts } from '../training-data';
import { VERSION } from '../version';

interface TrainFlags extends TrainingCommand {
  readonly backend: BackendChoice;
  readonly resume?: boolean;
  readonly restart?: boolean;
  readonly json?: boolean;
}

/** `aisle train`: from a click log to an artifact folder. */
export function register(program: Command): void {
  const command = program
    .command('train')
    .description('train a model on a click log and write its artifact folder')
    .requiredOption('--data <file>', 'events file: TSV, CSV, .gz or Parquet')
    .requiredOption('--model <name>', 'architecture or counting baseline; with --help: its options')
    .requiredOption('--out <dir>', 'folder to write; an artifact that is there is replaced')
    .option('--from <dir>', 'artifact to go on from, with its settings; items that are new to it are added')
    .option('--preset <name>', 'named configuration of the model; auto: the one that suits the log, scaled to it')
    .option('--config <file>', 'JSON object of configuration keys')
    .option('--set <key=value>', 'one configuration key; repeat it', parseSetting, [])
    .option('--epochs <n>', 'passes over the log; default: the configuration’s', integer(1))
    .option('--seed <n>', 'of everything random', integer(0), 1)
    .option(
      '--valid <part>',
      'validation: none | last:10% | last:7d | held-out (the first event that --holdout leaves out) | FILE; ' +
        'default: none with --epochs, else last:10%, with early stopping',
      parseValid,
    )
    .option(
      '--scale <number>',
      'what turns scores into logits, from another training of these settings; default: fitted on the validation part',
      positive,
    )
    .option('--holdout <n>', 'leave the last n events of every session out, for leave-one-out: 2', integer(0), 0)
    .option(
      '--catalogue <file>',
      'catalogue.json, or a table with item_id and further columns: titles, prices, features, to put into the artifact',
    )
    .option(
      '--replay <n>',
      'put n anonymous sessions of the log into the artifact, which anybody may download, for devices that learn',
      integer(0),
      0,
    )
    .option('--licence <text>', 'what others may do with the model', UNLICENSED)
    .option('--backend <name>', 'auto | wasm | cpu | webgpu', oneOf('auto', 'wasm', 'cpu', 'webgpu'), 'auto')
    .option(
      '--threads <n>',
      `share each step between up to ${SHARDS} threads; the result is the same for any number, but another than without`,
      integer(1),
    )
    .option('--resume', 'go on with a run that was interrupted')
    .option('--restart', 'begin anew where --out holds a run that was interrupted, whose checkpoint is then lost');
  addEventsOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText('after', () => optionTable(command.opts<Partial<TrainFlags>>().model))
    .addHelpText(
      'after',
      '\nExample:\n  $ aisle train --data events.tsv.gz --model gru4rec --out my-model --set layers=100 --set loss=bpr-max\n',
    )
    .action(run);
}

async function run(flags: TrainFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const taken = stopwatch();
  refuseAutoFrom(flags);
  const from = flags.from === undefined ? undefined : await readArtifactFolder(flags.from);
  const { given: own, preset, auto } = await configurationFrom(flags, context);
  const given = { ...settingsOf(from, flags), ...own };
  const { isNeural, config, wanted } = await checkedConfiguration(flags.model, given, preset);
  if (!isNeural) refuseNeuralFlags(flags);
  await checkReplaceable(flags.out, [CHECKPOINT]);
  await refuseUnfinished(flags);
  const threads = await threadsOf(flags, config, context);
  const products =
    flags.catalogue === undefined ? undefined : await readCatalogueFile(flags.catalogue, flags.columns?.item);
  const valid = isNeural ? (flags.valid ?? (flags.epochs === undefined ? undefined : 'none')) : 'none';
  const read = { ...readOptions(flags), featuresIfAny: wanted.map(({ name }) => name) };
  const options = {
    ...{ read, holdout: flags.holdout, ...(valid !== undefined && { valid }) },
    ...(from && { known: { itemIds: from.itemIds, support: catalogueOf(from).support! } }),
  };
  const parts = await trainingParts(flags.data, options, context);
  if (products) warnOfGaps(products, parts.log.itemIds, flags.catalogue!, context.stderr);
  const identity = {
    model: flags.model,
    seed: flags.seed,
    ...fingerprints(parts),
    ...(wanted.length > 0 && products && { catalogue: await checksumOf(products) }),
    ...config,
    ...(from && { from: from.info.version }),
    ...(threads && { parts: SHARDS }),
  };
  const resume = flags.resume ? await readCheckpoint(flags.out, identity) : undefined;
  if (flags.restart) await rm(join(flags.out, CHECKPOINT), { force: true });

  const learnt = await runOnDevice(async (slice) => {
    const backend = isNeural ? await startFirst(slice, flags.backend, context.stderr) : 'cpu';
    const start = { from, resume, taken, ...(threads !== undefined && { threads, backend }) };
    return learnAndShow(flags, given, parts, products, start, identity, context);
  });
  const scale = flags.scale ?? learnt.scale ?? from?.info.scale;
  if (isNeural) await warnOfScale(flags, config, scale, parts, context);
  const artifact = await assemble(flags, { ...learnt, ...(scale !== undefined && { scale }) }, auto, parts, products);
  await writeArtifactFolder(flags.out, artifact, { discard: [CHECKPOINT] });

  if (context.signal.aborted) context.stderr.write(`The training had ended already: ${flags.out} is written.\n`);

  const { epochs, best } = learnt;
  const { seconds, processorSeconds } = taken(resume);
  const counts = countsOf(parts);
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
  const cost = { seconds, processorSeconds, peakMemoryBytes };
  if (flags.json) {
    printJson(context, { artifact: flags.out, ...(auto && { auto }), epochs, best, scale, ...counts, ...cost });
  } else context.stdout.write(summary(flags, learnt, counts, seconds));
}

/** What a training has taken since this was called, and in the runs that it goes on from. */
function stopwatch(): (resume: FitState | undefined) => Spent {
  const started = performance.now();
  const before = process.cpuUsage();
  return (resume) => {
    const { user, system } = process.cpuUsage(before);
    const { seconds, processorSeconds } = resume?.spent ?? { seconds: 0, processorSeconds: 0 };
    return {
      seconds: seconds + (performance.now() - started) / 1000,
      processorSeconds: processorSeconds + (user + system) / 1e6,
    };
  };
}

/** An interrupted run may hold hours of work, which a new one would write over. */
async function refuseUnfinished({ out, resume, restart }: TrainFlags): Promise<void> {
  if (resume && restart) {
    throw new UsageError('--resume goes on with the run in --out, --restart begins it anew: pass one of them.');
  }
  if (resume || restart || !(await exists(join(out, CHECKPOINT)))) return;
  throw new UsageError(
    `${out} holds an unfinished training. --resume goes on with it; --restart begins anew, and its ${CHECKPOINT} is lost.`,
  );
}

/** A log that has grown may call for another shape, which no artifact can go on in. */
function refuseAutoFrom({ from, preset }: TrainFlags): void {
  if (from === undefined || preset !== AUTO) return;
  const why = `--from goes on with the settings of ${from}, whichever preset they are from`;
  throw new RecommenderError('bad-config', `${why}: leave --preset ${AUTO} out.`);
}

/** The settings of the artifact to go on from: what they do not fit is told before anything is read. */
function settingsOf(from: Artifact | undefined, { model, from: dir }: TrainFlags): Readonly<Record<string, unknown>> {
  if (!from) return {};
  const { architecture, config } = from.info;
  if (architecture === model) return config;
  throw new RecommenderError('bad-config', `${dir} is a ${architecture}, which --model ${model} cannot go on from.`);
}

/** What a training that goes on from an artifact takes over. */
const knownOf = ({ info: { items, features }, tensors }: Artifact) => ({
  ...{ items, tensors },
  ...(features && { features }),
});

/** A counting baseline has no epochs to resume, validate or bound. */
function refuseNeuralFlags({ model, epochs, valid, scale, resume, from, replay }: TrainFlags): void {
  const given = {
    '--from': from,
    '--epochs': epochs,
    '--valid': valid === 'none' ? undefined : valid,
    '--scale': scale,
    '--resume': resume,
    '--replay': replay || undefined,
  };
  const flag = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (flag)
    throw new RecommenderError('bad-config', `${flag} is for networks; ${model} counts the log once. Leave it out.`);
}

const checksumOf = (value: unknown): Promise<string> => sha256(new TextEncoder().encode(JSON.stringify(value)));

/**
 * How many threads share the steps; undefined where batches are not cut.
 *
 * @throws RecommenderError `bad-config` for a backend that threads cannot share.
 */
async function threadsOf(
  { model, threads, backend }: TrainFlags,
  config: Readonly<Record<string, unknown>>,
  { stderr }: Context,
): Promise<number | undefined> {
  if (threads === undefined) return undefined;
  if (backend === 'webgpu') {
    throw new RecommenderError('bad-config', '--threads shares the work of a CPU; a GPU has one queue. Leave it out.');
  }
  const why = Object.hasOwn(models, model)
    ? whyIndivisible(await models[model]!.training(), config)
    : 'it counts the log once';
  if (why === undefined) {
    if (threads > SHARDS) stderr.write(`Warning: ${SHARDS} threads share a step at most, not ${threads}.\n`);
    return Math.min(threads, SHARDS);
  }
  stderr.write(`Warning: ${model} trains on one thread, whatever --threads says: ${why}.\n`);
  return undefined;
}

/** What a training goes on from, and who shares it. */
interface Start {
  readonly from: Artifact | undefined;
  readonly resume: FitState | undefined;
  readonly taken: ReturnType<typeof stopwatch>;
  readonly threads?: number;
  readonly backend?: string;
}

async function learnAndShow(
  flags: TrainFlags,
  given: Readonly<Record<string, unknown>>,
  { log, valid, validProtocol }: TrainingParts,
  products: readonly CatalogueItem[] | undefined,
  { from, resume, taken, threads, backend }: Start,
  identity: RunIdentity,
  context: Context,
): Promise<Learnt> {
  let progress: Progress | undefined;
  const checkpoint = (state: FitState) => writeCheckpoint(flags.out, identity, { ...state, spent: taken(resume) });
  try {
    const options: ThreadOptions = {
      ...{ model: flags.model, config: given, seed: flags.seed },
      ...{ log, columns: log.report.otherColumns, itemIds: log.itemIds, support: log.support },
      ...(flags.epochs !== undefined && { epochs: flags.epochs }),
      ...(products && { products }),
      ...(resume && { resume }),
      ...(from && { from: knownOf(from) }),
    };
    return await learn({
      ...options,
      signal: context.signal,
      ...(threads !== undefined && { parallel: startThreads(threads, options, backend!) }),
      ...(valid && { valid }),
      ...(validProtocol && { validProtocol }),
      onProgress({ epoch, step, steps, loss }, epochs) {
        progress ??= createProgress(context.stderr, {
          label: `${flags.model}, epoch ${epoch} of ${epochs}`,
          total: steps,
          unit: 'steps',
        });
        progress.update(step, `loss ${loss.toFixed(4)}`);
      },
      async onEpoch(epoch, state) {
        progress?.finish();
        progress = undefined;
        context.stderr.write(`${epochLine(epoch)}\n`);
        await checkpoint(await state());
      },
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await checkpoint(error.state);
    throw new RecommenderError(
      'aborted',
      `Interrupted ${placeOf(error.state)}. ${join(flags.out, CHECKPOINT)} holds everything: the same command with ` +
        '--resume goes on from there.',
      { cause: error },
    );
  } finally {
    progress?.finish();
  }
}

/** Where a training stopped, in words. */
function placeOf({ trainer, epochs, unvalidated }: FitState): string {
  if (unvalidated !== undefined) return `in the validation after epoch ${epochs.length + 1}`;
  if (trainer.stepInEpoch === 0) return `before epoch ${epochs.length + 1}`;
  return `in epoch ${epochs.length + 1} after ${whole(trainer.stepInEpoch)} steps`;
}

function epochLine({ epoch, loss, measures = {}, seconds, valid }: EpochResult): string {
  const parts = Object.entries(measures).map(([name, value]) => `  ${name} ${value.toFixed(4)}`);
  const metrics = valid ? `  recall@20 ${valid['recall@20']!.toFixed(4)}  mrr@20 ${valid['mrr@20']!.toFixed(4)}` : '';
  return `epoch ${epoch}  loss ${loss.toFixed(4)}${parts.join('')}${metrics}  ${duration(seconds)}`;
}

const countsOf = ({ log }: TrainingParts) => ({
  items: log.itemIds.length,
  sessions: sessionCount(log),
  events: log.sessions.items.length,
});

async function assemble(
  flags: TrainFlags,
  { architecture, config, tensors: learnt, golden, features, scale, epochs, best }: Learnt,
  auto: Auto | undefined,
  parts: TrainingParts,
  products: readonly CatalogueItem[] | undefined,
): Promise<Artifact> {
  const { log, validProtocol = 'events' } = parts;
  const predicted =
    validProtocol === 'events'
      ? 'every event after the first of every validation session'
      : 'the first event of every session that was held out, items of its input left out';
  const training = {
    data: { file: basename(flags.data), ...countsOf(parts) },
    epochs,
    ...(best && { best }),
    protocol: `${predicted}, full ranking, conservative ties`,
    seed: flags.seed,
    ...(auto && { auto }),
    command: trainingCommand(flags),
    software: { aisle: VERSION, node: process.version },
  };
  const name = basename(resolve(flags.out));
  const tensors = { ...learnt, ...replayTensors(flags, parts) };
  // The version follows from the content: the same training gives the same one.
  const version = (await sha256(encodeSafetensors(tensors))).slice(0, 12);
  const about = {
    name,
    version,
    architecture,
    config,
    items: log.itemIds.length,
    ...(features && { features }),
    ...(scale !== undefined && { scale }),
    golden,
    training,
    licence: flags.licence,
  };
  return {
    info: { ...about, modelCard: modelCard({ ...about, ...insideOf(tensors) }) },
    itemIds: log.itemIds,
    tensors,
    ...(products && { catalogue: products }),
  };
}

/** Says that devices will not learn, where nothing tells what turns the scores into probabilities. */
async function warnOfScale(
  { model, replay }: TrainFlags,
  config: Readonly<Record<string, unknown>>,
  scale: number | undefined,
  { valid }: TrainingParts,
  { stderr }: Context,
): Promise<void> {
  const { logitScale } = await models[model]!.network();
  if ((scale ?? logitScale?.(config)) !== undefined || replay > 0) return;
  const why = valid
    ? 'on the validation part it ranks no better than by chance'
    : 'there is no validation part to fit a scale on (--valid last:10%), and no --scale';
  stderr.write(`Warning: the model will not learn on devices, nor be mixed by probabilities: ${why}.\n`);
}

/** What the model card tells of people. */
const insideOf = (tensors: Artifact['tensors']) => ({
  users: tensors[USERS_TENSOR]?.shape[0] ?? 0,
  replayed: (tensors[REPLAY_OFFSETS_TENSOR]?.shape[0] ?? 1) - 1,
});

/** The sessions that travel with the model, if any. */
function replayTensors({ replay, seed }: TrainFlags, { log }: TrainingParts): Artifact['tensors'] {
  if (replay === 0) return {};
  const { items, offsets } = drawReplay(log.sessions, log.support, replay, seed);
  return {
    [REPLAY_TENSOR]: { data: items, shape: [items.length] },
    [REPLAY_OFFSETS_TENSOR]: { data: offsets, shape: [offsets.length] },
  };
}

function summary(
  { model, out }: TrainFlags,
  { epochs, best }: Learnt,
  counts: ReturnType<typeof countsOf>,
  seconds: number,
) {
  const { items, sessions, events } = counts;
  const learnt = `${model} on ${whole(events)} events in ${whole(sessions)} sessions of ${whole(items)} items`;
  const lines = [`Trained ${learnt} in ${duration(seconds)}.`];
  if (best && epochs.length > 0)
    lines.push(`Best epoch ${best.epoch} of ${epochs.length}: ${best.metric} ${best.value.toFixed(4)}.`);
  lines.push(`Written to ${out}. Try it:  aisle demo --artifact ${out}`);
  return `${lines.join('\n')}\n`;
}
