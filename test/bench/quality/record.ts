/** What is committed of a trained and tested row, `results/quality-LOG.json`: pages are written from nothing else. */
import { isDeepStrictEqual } from 'node:util';
import type { Combined } from '../../../src/pipeline/compare/run';
import type { LogFacts } from '../../../src/session/log-facts';
import type { Exposure } from '../../../src/train/evaluate';
import { readResult, writeResult } from '../results';
import type { LogName } from './logs';

/**
 * `faithful`: the form and loss of the paper or its code. `improved`: the preset. `counted`: nothing is learnt. `blended`: rows
 * asked together, never the figure of one of them.
 */
export type Form = 'faithful' | 'improved' | 'counted' | 'blended';

type Named = Readonly<Record<string, number>>;

/** One row with one seed. */
export interface QualityRow {
  readonly name: string;
  readonly model: string;
  readonly form: Form;
  readonly preset?: string;
  /** Of a blended row: how its parts were put together. */
  readonly blended?: Combined;
  /** On top of the preset. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Both together, as they were when it was trained. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** Follows from model, config, seed and log: a row with another key is measured again. */
  readonly key: string;
  /** Why the figures are no longer those of this code, although the settings are the same: the row is measured again. */
  readonly stale?: string;
  readonly commit: string;
  readonly machine: string;
  readonly commands: readonly string[];
  readonly predictions: number;
  readonly metrics: { readonly conservative: Named; readonly standard: Named };
  /** Conservative metrics of parts of the predictions. */
  readonly groups?: Readonly<Record<string, { readonly predictions: number; readonly metrics: Named }>>;
  readonly 'coverage@20': number;
  readonly 'popularity@20': number;
  /** Absent in rows that were measured before it was. */
  readonly exposure?: Exposure;
  /** What the validation chose; absent where nothing is learnt, or another seed's validation has chosen. */
  readonly selected?: { readonly epoch: number; readonly metric: string; readonly value: number };
  /** What another seed's validation chose, or the settings say. */
  readonly epochs?: number;
  /** Whether all of the training part was learnt again for so many epochs, or what was chosen is what was tested. */
  readonly isRetrained: boolean;
  readonly curve: readonly { readonly epoch: number; readonly loss: number; readonly valid: Named }[];
  /** Of the training that was tested. */
  readonly trainSeconds: number;
  readonly processorSeconds: number;
  readonly evaluateSeconds: number;
  /** Of opening the artifact and evaluating it; absent in rows that were measured before it was. */
  readonly evaluateProcessorSeconds?: number;
  readonly peakMemoryBytes: number;
  readonly parameters: number;
  readonly bytes: number;
}

/** What networks of a log are mixed with: the row of neighbours that did best on its validation part. */
export interface Partner {
  readonly name: string;
  readonly metric: string;
  /** What each candidate reached there, ties lost. */
  readonly reached: Named;
  /** Follows from candidates, metric and log: with another key it is chosen again. */
  readonly key: string;
}

export const CUTS = [5, 10, 20] as const;
export const METRICS = CUTS.flatMap((k) => [`recall@${k}`, `mrr@${k}`, `ndcg@${k}`]);

/** What a row had with settings that were given up since: the test part was asked with them too. */
export interface Earlier extends Pick<QualityRow, 'name' | 'seed' | 'commit'> {
  /** That were trained; absent where that was not kept. */
  readonly epochs?: number;
  readonly metrics: Named;
}

/** What is committed of a log. */
export interface Results {
  /** Chosen before the first row is measured. */
  readonly partner?: Partner;
  /** Of the training part, where the preset `auto` goes by them: settings follow from them without the log. */
  readonly facts?: LogFacts;
  readonly earlier?: readonly Earlier[];
  readonly rows: readonly QualityRow[];
}

/** Empty where nothing was measured yet. */
export const readResults = (log: LogName): Results => readResult(`quality-${log}`, { rows: [] });

/**
 * The results with a row in the place of the one of that name and seed. If that had other settings, or other figures by
 * other code, what it reached is kept apart; blended rows follow from others.
 *
 * @param order Names of rows, as they shall stand.
 */
export function withRow({ rows, earlier = [], ...rest }: Results, row: QualityRow, order: readonly string[]): Results {
  const place = ({ name }: QualityRow) => (order.includes(name) ? order.indexOf(name) : order.length);
  const isOld = ({ name, seed }: QualityRow) => name === row.name && seed === row.seed;
  const others = rows.filter((old) => !isOld(old));
  const isSame = ({ key, metrics }: QualityRow) => key === row.key && isDeepStrictEqual(metrics, row.metrics);
  const changed = rows.filter((old) => isOld(old) && !isSame(old) && old.form !== 'blended');
  const before = [
    ...earlier,
    ...changed.map(({ name, seed, commit, metrics, epochs, selected }): Earlier => {
      const trained = epochs ?? selected?.epoch;
      return { name, seed, commit, ...(trained && { epochs: trained }), metrics: metrics.conservative };
    }),
  ];
  return {
    ...rest,
    ...(before.length > 0 && { earlier: before }),
    rows: [...others, row].sort((a, b) => place(a) - place(b) || a.seed - b.seed),
  };
}

export const writeResults = (log: LogName, { partner, facts, earlier, rows }: Results): void =>
  writeResult(`quality-${log}`, { log, partner, facts, earlier, rows });
