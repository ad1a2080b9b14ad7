import {
  type Artifact,
  type ArtifactInfo,
  MIX_PREFIX,
  REPLAY_OFFSETS_TENSOR,
  USERS_TENSOR,
} from '../checkpoint/artifact';
import type { PartCounts } from '../session/split';
import type { BestEpoch, EpochResult } from '../train/fit';
import type { NdArray } from '../types';
import { markdownTable, whole } from './format';
import { type Measured, nameOf } from './validation';

/** The content of a model card. */
export interface CardFacts extends Pick<ArtifactInfo, 'name' | 'version' | 'architecture' | 'config' | 'licence'> {
  readonly training: {
    readonly data: PartCounts & { readonly file: string };
    readonly epochs: readonly EpochResult[];
    readonly best?: BestEpoch;
    /** What the best quick counting model reaches on the same predictions. */
    readonly baseline?: Measured;
    /** The training whose weights these are, on everything, after the one that was measured. */
    readonly refit?: { readonly epochs: number; readonly seconds: number } | false;
    /** Where training was interrupted, if it did not go on. */
    readonly interrupted?: string;
    readonly protocol: string;
    readonly seed: number;
    /** Why it has its settings, if the log has chosen them. */
    readonly auto?: { readonly why: string };
    readonly command: string;
  };
  readonly paper: string;
  /** How many users the model knows. */
  readonly users: number;
  /** How many sessions of the log are inside, for learning on devices. */
  readonly replayed: number;
  /** How many are inside as what the model answers by. */
  readonly neighbours: number;
  /** Whether `report.html` shows sessions of the log. */
  readonly hasExamples?: boolean;
}

/** The Markdown page that comes with a model: what it is, its training data, its quality, its limits. */
export function modelCard({ training, ...about }: CardFacts): string {
  const { data, epochs, best, baseline, refit, interrupted, protocol, seed, auto, command } = training;
  const metrics = best && epochs[best.epoch - 1]?.valid;
  const quality = metrics
    ? [
        `Best epoch ${best.epoch} of ${epochs.length}, on validation sessions (${protocol}):`,
        '',
        ...markdownTable(
          ['metric', 'value', ...(baseline ? [`counting (${nameOf(baseline)})`] : [])],
          Object.entries(metrics).map(([metric, value]) => [
            metric,
            value.toFixed(4),
            ...(baseline ? [baseline.metrics[metric]!.toFixed(4)] : []),
          ]),
        ),
        '',
        ...(refit
          ? [
              'These figures are of a first training, without the validation sessions. The weights are those of a second one, with ' +
                `them, for as many epochs (${refit.epochs}), which is not measured.`,
            ]
          : []),
        'The epoch was chosen by these very sessions; judge the model on others with `aisle evaluate`.',
      ]
    : ['Not measured during training; judge it with `aisle evaluate`.'];
  const learntFrom = [
    `${whole(data.events)} events in ${whole(data.sessions)} sessions of ${whole(data.items)} items (\`${data.file}\`), seed ${seed}:`,
    '',
    `    ${command}`,
    '',
    ...(interrupted
      ? [
          `Training was interrupted ${interrupted}: these are the weights of epoch ${best!.epoch}${metrics ? MEASURED : ''}.`,
          '',
        ]
      : []),
    ...(auto ? [`Settings by \`--preset auto\`: ${auto.why}.`, ''] : []),
  ];
  return card(about, learntFrom, quality);
}

const MEASURED = ' of the training that was measured, without the validation sessions';

const EXAMPLES =
  'Where report.html is beside it, it shows sessions of the log: leave it out of a folder that is published. No page needs it.';

type Inside = Pick<CardFacts, 'users' | 'replayed' | 'neighbours'>;

const withExamples = ({ hasExamples, ...inside }: Inside & Pick<CardFacts, 'hasExamples'>): string =>
  hasExamples ? `${inFiles(inside)} ${EXAMPLES}` : inFiles(inside);

const inFiles = ({ users, replayed, neighbours }: Inside): string => {
  const count = replayed + neighbours;
  if (count === 0) return aboutUsers(users);
  const sessions =
    `${whole(count)} sessions of the log are inside, as lists of items ${neighbours > 0 ? 'with times, without' : 'without time,'} user or ` +
    'session id: who knows some clicks of one of them can read the others. Publish it only where that is allowed.';
  return users === 0 ? sessions : `${aboutUsers(users)} ${sessions}`;
};

const aboutUsers = (users: number): string =>
  users === 0
    ? 'No personal data is inside: weights, item ids, event counts.'
    : `Personal data is inside: a vector of taste for each of ${whole(users)} users, found by a digest of the user’s id, so ` +
      'that whoever can guess an id can tell whether it is there. Publish it only where that is allowed.';

/** What of the log, and of whom, an artifact holds. */
export const insideOf = (tensors: Artifact['tensors']): Inside => ({
  users: tensors[USERS_TENSOR]?.shape[0] ?? 0,
  replayed: countOf(tensors[REPLAY_OFFSETS_TENSOR]),
  neighbours: countOf(tensors['sessions.offsets'] ?? tensors[`${MIX_PREFIX}sessions.offsets`]),
});

const countOf = (offsets: NdArray | undefined): number => (offsets?.shape[0] ?? 1) - 1;

/** The content of the card of imported weights. */
export interface ImportFacts extends Omit<CardFacts, 'training' | 'users' | 'replayed' | 'neighbours' | 'hasExamples'> {
  readonly training: {
    readonly imported: { readonly from: string; readonly weights: string };
    readonly command: string;
  };
}

/** The page that comes with weights of another program. */
export function importedCard({ training: { imported, command }, ...about }: ImportFacts): string {
  const learntFrom = [
    `Not known: the weights (\`${imported.weights}\`) were trained by the reference implementation of ${imported.from}, and imported:`,
    '',
    `    ${command}`,
    '',
  ];
  return card({ ...about, users: 0, replayed: 0, neighbours: 0 }, learntFrom, [
    'Not measured here; judge it with `aisle evaluate`.',
  ]);
}

/** What was done to a model when it was packed. */
export interface PackFacts extends Pick<ArtifactInfo, 'name' | 'version'> {
  readonly training: {
    readonly packed: {
      readonly from: Pick<ArtifactInfo, 'name' | 'version' | 'items'>;
      readonly precision: string;
      readonly items: number;
      /** What was mixed in. */
      readonly mixed?: Pick<ArtifactInfo, 'name' | 'version' | 'architecture'> & { readonly share: number };
      readonly command: string;
    };
  };
}

/**
 * The page of a model that was packed: the one that came with it, under the new name, and what was done.
 *
 * @param before What the artifact held of the log.
 * @param after What it holds now.
 */
export function packedCard(
  given: string,
  { name, version, training: { packed } }: PackFacts,
  before: Inside,
  after: Inside,
): string {
  const { from, precision, items, mixed, command } = packed;
  const title = `# ${from.name} ${from.version}\n`;
  const [said, now] = [inFiles(before), inFiles(after)];
  const part =
    items < from.items
      ? ` Of its ${whole(from.items)} items, the ${whole(items)} with most events in the log are left; the others are never recommended.`
      : '';
  return [
    `# ${name} ${version}\n${given.startsWith(title) ? given.slice(title.length) : `\n${given}`}`.replace(said, now),
    '## Packed',
    `From ${from.name} ${from.version}, with weights as ${precision}.${part}${mixed ? ` ${counted(mixed)}` : ''}`,
    ...(given.includes(said) || said === now ? [] : [now]),
    '',
    `    ${command}`,
    '',
  ].join('\n');
}

const counted = ({
  name,
  version,
  architecture,
  share,
}: NonNullable<PackFacts['training']['packed']['mixed']>): string =>
  `A share of ${share} of the probabilities is counted by ${name} ${version} (\`${architecture}\`), which is inside; the figures above ` +
  'are of the network alone.';

function card(
  { name, version, architecture, paper, config, licence, ...inside }: Omit<CardFacts, 'training'>,
  learntFrom: readonly string[],
  quality: readonly string[],
): string {
  return [
    `# ${name} ${version}`,
    '',
    `Ranks the next item of a shopping session. Architecture \`${architecture}\`: ${paper}.`,
    '',
    '## Learnt from',
    ...learntFrom,
    '## Quality',
    ...quality,
    '',
    '## Configuration',
    ...Object.entries(config).map(([key, value]) => `- ${key}: ${Array.isArray(value) ? value.join('/') : value}`),
    '',
    '## Limits',
    'Knows only items of its log: new products are never recommended before the next training. Repeats what visitors did,',
    `their habits and the shop’s own placement included. ${withExamples(inside)}`,
    '',
    `Licence: ${licence}`,
    '',
  ].join('\n');
}
