/** What `train` refuses, or warns of, before hours of work. */
import { RecommenderError } from '../errors';
import { models } from '../models/index';
import { AUTO } from '../models/presets/preset';
import { isNeural } from '../ranking/architecture';
import type { EventLog } from '../session/event-log';
import { partCounts } from '../session/split';
import type { Settings } from './configuration';
import { badConfig } from './errors';
import { plural } from './format';
import { type Observer, warn } from './observer';
import type { TrainOptions } from './options';
import { CHECKPOINT, type Checkpoint } from './training-checkpoint';

/** Fewer sessions than that are warned of. */
const FEW_SESSIONS = 20;

/** Warns of a log that is too small to learn much from. */
export function warnOfFew(log: EventLog, data: string, observer: Observer): void {
  const { sessions: count } = partCounts(log);
  if (count >= FEW_SESSIONS) return;
  warn(
    observer,
    `${data} has ${plural(count, 'session')} to learn from: a model can repeat what followed what in them, and little ` +
      'else; its figures say nothing yet. Some thousand sessions are a start.',
  );
}

/** Refuses options that are out of range, or contradict each other. */
export function refuseContradictions({
  from,
  preset,
  keepBest,
  resume,
  sampleSessions: share = 1,
  seed = 1,
  threads,
  backend,
}: TrainOptions): void {
  if (!Number.isSafeInteger(seed)) badConfig(`\`seed\`: expected a whole number, got ${seed}.`);
  if (from !== undefined && preset === AUTO) {
    // On a longer log, `auto` may pick another shape, which the artifact's weights do not fit.
    const why = `\`from\` goes on with the settings of ${from}, whichever preset they are from`;
    badConfig(`${why}: leave \`preset\` ${AUTO} out.`);
  }
  if (threads !== undefined && backend === 'webgpu')
    badConfig('`threads` shares the work of a CPU; a GPU has one queue. Leave it out.');
  if (keepBest && !resume) badConfig('`keepBest` writes what an interrupted run has reached: add `resume`.');
  if (!(share > 0 && share <= 1)) badConfig(`\`sampleSessions\`: expected a share above 0, at most 1, got ${share}.`);
}

/** Refuses a validation part without users before the first training of a model that must learn users in the second. */
export async function refuseLostUsers(
  { model, valid }: TrainOptions,
  config: Settings,
  log: EventLog,
  everything: EventLog,
): Promise<void> {
  if (!log.userIds || everything.userIds) return;
  const spec = isNeural(model) ? await models[model]!.spec() : undefined;
  if (!spec?.knowsUsers?.(config)) return;
  throw new RecommenderError(
    'bad-input',
    `${model} learns a vector for each user, and \`valid\` ${valid} names no users, so it cannot train again on everything. ` +
      'Add a user column there, as in the log, or `refit` no.',
  );
}

/** Whether an epoch has ended, which `keepBest` can write. */
export const hasEpoch = ({ epochs, validated }: Pick<Checkpoint, 'epochs' | 'validated'>): boolean =>
  epochs.length > 0 || validated !== undefined;

/** @throws RecommenderError `bad-input` where no epoch has ended. */
export function refuseNothingToKeep(checkpoint: Checkpoint, out: string): void {
  if (hasEpoch(checkpoint)) return;
  throw new RecommenderError(
    'bad-input',
    `\`keepBest\`: no epoch of the training in ${out} has ended, so there is no model to keep. Go on with \`resume\` alone.`,
  );
}

/** Refuses to overwrite an interrupted run, which may hold hours of work. @param isThere Whether `out` holds its checkpoint. */
export function refuseUnfinished({ out, resume, restart }: TrainOptions, isThere: boolean): void {
  if (resume && restart) {
    badConfig('`resume` goes on with the run in `out`, `restart` starts it over: pass one of them.');
  }
  if (resume || restart || !isThere) return;
  badConfig(
    `${out} holds an unfinished training. \`resume\` goes on with it; \`restart\` starts over, and its ${CHECKPOINT} is lost.`,
  );
}

/** Refuses options that mean nothing for a counting baseline. */
export function refuseNeuralOptions({
  model,
  epochs,
  valid,
  scale,
  resume,
  from,
  replay,
  refit,
  log,
  backend,
}: TrainOptions): void {
  const given = {
    from,
    epochs,
    valid: valid === 'none' ? undefined : valid,
    scale,
    refit: refit === 'no' ? undefined : refit,
    log,
    resume: resume || undefined,
    replay: replay || undefined,
    backend: backend === 'webgpu' ? backend : undefined,
  };
  const option = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (option)
    throw new RecommenderError(
      'bad-config',
      `\`${option}\` is for networks; ${model} counts the log once. Leave it out.`,
    );
}
