/** From the weights of a reference implementation to what an artifact holds. */
import { SUPPORT_TENSOR } from '../checkpoint/artifact';
import type { Importer } from '../checkpoint/imports/importer';
import { importers } from '../checkpoint/imports/index';
import { toOurs } from '../checkpoint/imports/name-map';
import { RecommenderError } from '../errors';
import { nearestName } from '../nearest-name';
import { goldenAnswer } from '../ranking/golden-check';
import { loadScorer, NAMELESS } from '../ranking/load-scorer';
import { type ClickLog, countSupport } from '../session/event-log';
import type { NdArray } from '../types';
import { readClicks } from './read-clicks';
import { configurationOf, type TrainedModel } from './train-from-log';
import { validationScale } from './validation-scale';

export interface ImportOptions {
  /** A reference implementation: a name of `checkpoint/imports`. */
  readonly from: string;
  /** Its own parameters, by its own names. */
  readonly reference: Readonly<Record<string, unknown>>;
  /** Its state dict. */
  readonly weights: Readonly<Record<string, NdArray>>;
  /** Ids of its items, in the order of its own indices, without padding. */
  readonly itemIds: readonly string[];
  /** Sessions that the weights were not trained on, in the order of `itemIds`: the scale is fitted on them, and their events are counted. */
  readonly log?: ClickLog;
  /** What holds the weights, the configuration and the ids, for messages. */
  readonly names: { readonly weights: string; readonly config: string; readonly items: string };
}

/** The scale is fitted on the log, and the events of items are those of the log: without one, all are 0. */
export interface ImportedModel extends Omit<TrainedModel, 'features' | 'epochs' | 'best'> {
  /** Tensors of the state dict that no computation reads. */
  readonly unused: readonly string[];
}

/**
 * Imports weights. A backend must be running.
 *
 * @throws RecommenderError `bad-config` for a reference that is not known, or a key or value that we do not have;
 *   `bad-input` if the ids are not as many as the configuration says; `weights-mismatch` that names a tensor that is
 *   missing, not used, or of another shape.
 */
export async function importWeights(options: ImportOptions): Promise<ImportedModel> {
  const { from, reference, weights, itemIds, log, names } = options;
  const importer = importerOf(from);
  const architecture = importer.architecture ?? from;
  const given = importer.config(reference);
  const items = itemIds.length;
  if (given.items !== undefined && given.items !== items) {
    throw new RecommenderError(
      'bad-input',
      `${names.items} holds ${items} item ids, ${names.config} says ${given.items} items without padding. ` +
        'Write one id for each row of the item table, in its order.',
    );
  }
  const { config } = await configurationOf(architecture, given.config);
  const map = importer.map(config, items);
  for (const [name, { data }] of Object.entries(weights)) {
    const at = data.findIndex((x) => !Number.isFinite(x));
    if (at >= 0) {
      throw new RecommenderError(
        'weights-mismatch',
        `${names.weights}: tensor "${name}" holds ${data[at]} at position ${at}; every weight must be finite.`,
      );
    }
  }
  const tensors = {
    ...toOurs(map, importer.fold?.(weights, config, items, names.weights) ?? weights, names.weights),
    [SUPPORT_TENSOR]: { data: countSupport(log?.sessions.items ?? new Int32Array(0), items), shape: [items + 1] },
  };
  const info = { ...NAMELESS, architecture, config, items };
  const scorer = await loadScorer({ info, itemIds, tensors });
  try {
    const session = Array.from({ length: Math.min(5, items) }, (_, i) => i + 1);
    const golden = await goldenAnswer(scorer, session);
    const sessions = log && readClicks({ info, tensors }, log, () => undefined);
    const scale = sessions && (await validationScale(scorer, sessions, { protocol: 'events' }));
    return {
      architecture,
      config,
      tensors,
      golden,
      unused: map.unused ?? [],
      ...(scale !== undefined && { scale }),
    };
  } finally {
    scorer.dispose();
  }
}

/** @throws RecommenderError `bad-config` with the names that there are. */
export function importerOf(from: string): Importer {
  const known: Readonly<Record<string, Importer>> = importers;
  if (Object.hasOwn(known, from)) return known[from]!;
  const nearest = nearestName(from, Object.keys(known));
  throw new RecommenderError(
    'bad-config',
    `No reference implementation is called "${from}"${nearest ? `; the nearest is "${nearest}"` : ''}. ` +
      `Weights can be imported from ${Object.keys(known).join(', ')}.`,
  );
}
