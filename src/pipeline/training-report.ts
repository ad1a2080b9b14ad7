/** `report.html` of an artifact: how its training went, as one HTML file. */
import type { CatalogueItem } from '../checkpoint/artifact';
import { UNRANKED } from '../ranking/rank';
import type { EpochResult } from '../train/fit';
import type { Metrics } from '../train/metrics';
import { duration, plural, whole } from './format';
import { htmlPage, rowOf, tableOf, escapeHtml as text } from './html';
import type { CardFacts } from './model-card';
import { linePlot, type Series } from './plots';
import {
  type Example,
  METRICS,
  type Measured,
  nameOf,
  type Slice,
  TITLES,
  type Validation,
  verdict,
} from './validation';
import { VERSION } from './version';

/** The first words of a report that shows sessions of the log. */
export const PRIVATE = 'Do not publish this page.';

export interface ReportFacts {
  readonly name: string;
  readonly model: string;
  readonly training: Omit<CardFacts['training'], 'baseline'>;
  readonly refitEpochs: readonly EpochResult[];
  /** Absent where nothing was measured. */
  readonly validation?: Validation;
  /** Has the titles of products. */
  readonly catalogue?: readonly CatalogueItem[];
}

const STYLES = `
.warning { border-left: 4px solid #d55e00; background: var(--mark); padding: .6rem 1rem; }
.examples { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); list-style: none; padding: 0; }
.examples > li { border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; overflow-wrap: anywhere; }
.examples p { margin: 0 0 .35rem; } .examples ol { margin: 0; padding-left: 1.5rem; } .examples ol + p { margin-top: .5rem; }
.hit { font-weight: 600; background: var(--mark); }
@media (max-width: 620px) { th, td { padding: .35rem .3rem; } }
`;

/** Clicks of an example that are shown, the newest. */
const SHOWN_CLICKS = 6;

export function trainingReport(facts: ReportFacts): string {
  const { name, model, training, validation, catalogue = [] } = facts;
  const { data, protocol, auto, command } = training;
  const titles = new Map(catalogue.flatMap(({ id, title }) => (title === undefined ? [] : [[id, title] as const])));
  const paragraph = (...sentences: readonly string[]) => `<p>${text(sentences.join(' '))}</p>`;
  return htmlPage(
    `Training of ${name}`,
    [
      `<h1>Training of ${text(name)}</h1>`,
      ...(validation
        ? [
            `<p class="warning"><strong>${PRIVATE}</strong> ` +
              'It shows sessions of the shop’s log. Leave report.html ' +
              'out where the folder of the model is copied to a public server; no page needs it.</p>',
          ]
        : []),
      paragraph(
        `${model}, learnt from ${whole(data.events)} events in ${whole(data.sessions)} sessions of ${whole(data.items)} items (${data.file}).`,
        ...trainings(training, validation !== undefined),
      ),
      ...(validation ? [paragraph(verdict(validation, training))] : []),
      ...(auto ? [`<p class="soft">${text(`Settings by --preset auto: ${auto.why}.`)}</p>`] : []),
      '<h2>Epochs</h2>',
      `<div class="plots">${plots(facts).join('\n')}</div>`,
      ...(validation
        ? measured(validation, protocol)
        : ['<p>Without a validation part nothing else was measured.</p>']),
      ...(validation ? examples(validation.examples, (id) => titles.get(id) ?? id) : []),
      '<h2>Made by</h2>',
      `<p><code>${text(command)}</code></p>`,
      `<p class="soft">Aisle ${text(VERSION)}.</p>`,
    ],
    STYLES,
  );
}

/** What was trained, in sentences. */
function trainings({ epochs, best, refit, interrupted }: ReportFacts['training'], isValidated: boolean): string[] {
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const took = `${plural(epochs.length, 'epoch')} in ${duration(seconds)}`;
  const stopped = interrupted ? [`Training was interrupted ${interrupted}, and did not go on.`] : [];
  if (!isValidated) return [`Training took ${took}.`, ...stopped];
  const first = `Without the validation part, training took ${took}; epoch ${best!.epoch} was the best.`;
  if (!refit) return [first, ...stopped];
  return [
    first,
    `Then the model was trained again on everything, ${plural(refit.epochs, 'epoch')} in ${duration(refit.seconds)}: those are its weights.`,
    'All figures and examples here are of the first training, which had not seen the validation part.',
  ];
}

function plots({ training: { epochs }, refitEpochs, validation }: ReportFacts): string[] {
  const curve = (name: string, of: readonly EpochResult[], y: (epoch: EpochResult) => number): Series => ({
    name,
    points: of.map((epoch) => [epoch.epoch, y(epoch)] as const),
  });
  const losses = [
    curve('training', epochs, ({ loss }) => loss),
    ...(refitEpochs.length > 0 ? [curve('training on everything', refitEpochs, ({ loss }) => loss)] : []),
  ];
  const drawn = [linePlot(losses, { title: 'Loss', x: 'epoch', y: 'loss', isCount: true })];
  if (!validation) return drawn;
  const { baseline, model } = validation;
  const metrics = METRICS.map((metric) =>
    linePlot(
      [
        curve(model.model, epochs, ({ valid }) => valid![metric]!),
        curve(`counting (${nameOf(baseline)})`, epochs, () => baseline.metrics[metric]!),
      ],
      { title: `Validation ${TITLES[metric]}`, x: 'epoch', y: TITLES[metric], isCount: true },
    ),
  );
  return [...drawn, ...metrics];
}

const SHOWN = ['recall@20', 'mrr@20'] as const;

const figures = (metrics: Metrics): string[] => SHOWN.map((metric) => metrics[metric]!.toFixed(4));

function measured(validation: Validation, protocol: string): string[] {
  const { sessions, predictions, model, counting, baseline, byClicks, byLastItem } = validation;
  const rows = [model, ...counting].map((of: Measured, i) =>
    rowOf(nameOf(of), figures(of.metrics), i === 0 ? ' class="best"' : ''),
  );
  const slices = (title: string, first: string, of: readonly Slice[]) => {
    const body = of.map(({ label, predictions: count, ...both }) => {
      const other = figures(both.baseline);
      const cells = figures(both.model).map((own, m) =>
        count === 0 ? '–' : `${own}<small>${text(nameOf(baseline))} ${other[m]}</small>`,
      );
      return rowOf(label, [whole(count), ...cells]);
    });
    const titles = [first, 'predictions', ...SHOWN.map((metric) => TITLES[metric])];
    return [`<h3>${text(title)}</h3>`, tableOf(title, titles, body)];
  };
  return [
    '<h2>Beside counting models</h2>',
    `<p>${text(`${whole(predictions)} predictions in ${whole(sessions)} sessions of the validation part: ${protocol}. All models have learnt from the same training part.`)}</p>`,
    tableOf('Beside counting models', ['model', ...SHOWN.map((metric) => TITLES[metric])], rows),
    '<h2>Where it is better, and where worse</h2>',
    `<p>${text(`${model.model}, and below it ${nameOf(baseline)}, the best counting model.`)}</p>`,
    ...slices('By clicks seen', 'clicks', byClicks),
    ...slices('By the item clicked last', 'last item', byLastItem),
    '<p class="soft">Popular items are the most clicked ones that have half of all events. An unseen item is not in the training part: a model that does not know it answers by the clicks before it.</p>',
  ];
}

function examples(all: readonly Example[], titleOf: (id: string) => string): string[] {
  const cards = all.map(({ clicks, suggestions, next, rank }) => {
    const shown = clicks.slice(-SHOWN_CLICKS);
    const seen = `${clicks.length > shown.length ? '… → ' : ''}${shown.map(titleOf).join(' → ')}`;
    const list = suggestions.map((id) =>
      id === next
        ? `<li class="hit">${text(titleOf(id))} <span>✓ clicked next</span></li>`
        : `<li>${text(titleOf(id))}</li>`,
    );
    const place = rank === UNRANKED ? 'no candidate, because it was clicked before' : `rank ${whole(rank)}`;
    const found = suggestions.includes(next)
      ? ''
      : `<p>Clicked next: <span class="hit">${text(titleOf(next))}</span>, ${place}</p>`;
    return `<li><p class="soft">Clicked</p><p>${text(seen)}</p><p class="soft">Suggested</p><ol>${list.join('')}</ol>${found}</li>`;
  });
  return [
    `<h2>${all.length} sessions of the validation part</h2>`,
    '<p>Drawn at random. The last click of each is to be predicted.</p>',
    `<ul class="examples">${cards.join('\n')}</ul>`,
  ];
}
