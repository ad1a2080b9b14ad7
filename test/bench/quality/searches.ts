/** What is committed of the searches over settings, `results/searches-LOG.json`. */
import { join } from 'node:path';
import { baselines } from '../../../src/neighbours/index';
import { RESULTS, readResult, replace } from '../results';
import type { LogName } from './logs';
import type { QualityRow } from './record';

type Config = Readonly<Record<string, unknown>>;

/** The search over one counting baseline, or over the settings of one network's row. */
export interface Search {
  /** Of a network: the key of its row's first seed, whose settings the first trial has. With another the search is of other settings. */
  readonly of?: string;
  /** Of the validation part, targets losing ties. */
  readonly metric: string;
  readonly seed: number;
  readonly space: Readonly<Record<string, string>>;
  /**
   * What each sets on top of the baseline's own settings, or of the row's; the first nothing. Null: it gave no result. A network is
   * tried by successive halving, and `epochs` says how far a trial came.
   */
  readonly trials: readonly { readonly config: Config; readonly value: number | null; readonly epochs?: number }[];
  readonly best: { readonly config: Config; readonly value: number };
  readonly seconds: number;
  readonly commit: string;
  readonly machine: string;
}

/** The row of a baseline, or of a network, at the best of its search. */
export const tunedName = (row: string): string => `${row}, tuned`;

/** The baseline that is best on the validation part, each at the best of its search. */
export function bestCounter(log: LogName): string | undefined {
  const found = Object.entries(countersOf(log)).sort(([, a], [, b]) => b.best.value - a.best.value);
  return found[0]?.[0];
}

type Searches = Readonly<Record<string, Search>>;

/** By baseline, or network's row; empty where nothing was searched. */
export const readSearches = (log: LogName): Searches => readResult(`searches-${log}`, {});

const isCounter = (row: string): boolean => Object.hasOwn(baselines, row);
const only = (log: LogName, is: (row: string) => boolean): Searches =>
  Object.fromEntries(Object.entries(readSearches(log)).filter(([row]) => is(row)));

export const countersOf = (log: LogName): Searches => only(log, isCounter);
export const networksOf = (log: LogName): Searches => only(log, (row) => !isCounter(row));

/**
 * What the row as it is has on the validation part at its best epoch, in a search's metric. Halving may have left its trial behind
 * after few epochs, but the row was trained to its end.
 */
export function untuned({ metric }: Search, row: string, rows: readonly QualityRow[]): number | undefined {
  const values = rows.find(({ name, seed }) => name === row && seed === 1)?.curve.map(({ valid }) => valid[metric]!);
  return values && Math.max(...values);
}

/** One trial a line. */
export function writeSearch(log: LogName, row: string, search: Search): void {
  const all = { ...readSearches(log), [row]: search };
  const rows = Object.entries(all).map(([name, { trials, ...about }]) => {
    const lines = trials.map((trial) => `   ${JSON.stringify(trial)}`).join(',\n');
    return ` ${JSON.stringify(name)}: {\n  "trials": [\n${lines}\n  ],\n  ${JSON.stringify(about).slice(1)}`;
  });
  replace(join(RESULTS, `searches-${log}.json`), `{\n${rows.join(',\n')}\n}\n`);
}
