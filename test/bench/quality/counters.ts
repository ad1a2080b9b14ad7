/** What is committed of the searches over counting baselines, `results/counters-LOG.json`. */
import { join } from 'node:path';
import { baselines } from '../../../src/neighbours/index';
import { RESULTS, readResult, replace } from '../results';
import type { LogName } from './logs';

type Config = Readonly<Record<string, unknown>>;

/** The search over one baseline. */
export interface CounterSearch {
  /** Of the validation part, targets losing ties. */
  readonly metric: string;
  readonly seed: number;
  readonly space: Readonly<Record<string, string>>;
  /** The first are the baseline's own settings. Null: it gave no result. */
  readonly trials: readonly { readonly config: Config; readonly value: number | null }[];
  readonly best: { readonly config: Config; readonly value: number };
  readonly seconds: number;
  readonly commit: string;
  readonly machine: string;
}

/** The row of a baseline at the best of its search. */
export const tunedName = (model: string): string => `${model}, tuned`;

/** The baseline that is best on the validation part, each at the best of its search. */
export function bestCounter(log: LogName): string | undefined {
  const found = Object.entries(readCounters(log)).sort(([, a], [, b]) => b.best.value - a.best.value);
  return found[0]?.[0];
}

/** By baseline; empty where nothing was searched. */
export const readCounters = (log: LogName): Readonly<Record<string, CounterSearch>> =>
  readResult(`counters-${log}`, {});

/** One trial a line. */
export function writeCounters(log: LogName, model: string, search: CounterSearch): void {
  const all = { ...readCounters(log), [model]: search };
  const rows = Object.keys(baselines).flatMap((name) => {
    if (!all[name]) return [];
    const { trials, ...about } = all[name];
    const lines = trials.map((trial) => `   ${JSON.stringify(trial)}`).join(',\n');
    return [` ${JSON.stringify(name)}: {\n  "trials": [\n${lines}\n  ],\n  ${JSON.stringify(about).slice(1)}`];
  });
  replace(join(RESULTS, `counters-${log}.json`), `{\n${rows.join(',\n')}\n}\n`);
}
