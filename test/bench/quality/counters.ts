/** What is committed of the searches over counting baselines, `results/counters-LOG.json`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { baselines } from '../../../src/neighbours/index';
import type { LogName } from './logs';
import { RESULTS, replace } from './record';

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

const fileOf = (log: LogName): string => join(RESULTS, `counters-${log}.json`);

/** The row of a baseline at the best of its search. */
export const tunedName = (model: string): string => `${model}, tuned`;

/** The baseline that is best on the validation part, each at the best of its search. */
export function bestCounter(log: LogName): string | undefined {
  const found = Object.entries(readCounters(log)).sort(([, a], [, b]) => b.best.value - a.best.value);
  return found[0]?.[0];
}

/** By baseline; empty where nothing was searched. */
export function readCounters(log: LogName): Readonly<Record<string, CounterSearch>> {
  const file = fileOf(log);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** One trial a line. */
export function writeCounters(log: LogName, model: string, search: CounterSearch): void {
  const all = { ...readCounters(log), [model]: search };
  const rows = Object.keys(baselines).flatMap((name) => {
    if (!all[name]) return [];
    const { trials, ...about } = all[name];
    const lines = trials.map((trial) => `   ${JSON.stringify(trial)}`).join(',\n');
    return [` ${JSON.stringify(name)}: {\n  "trials": [\n${lines}\n  ],\n  ${JSON.stringify(about).slice(1)}`];
  });
  replace(fileOf(log), `{\n${rows.join(',\n')}\n}\n`);
}
