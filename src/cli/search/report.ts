/** What a search leaves behind: search.json, best.json, and the lines that a person reads. */
import { join } from 'node:path';
import { describeRange, type SearchSpace, written } from '../../models/search-space';
import { architectures } from '../architectures';
import { quoted } from '../command-line';
import { duration } from '../progress';
import type { Auto } from '../settings';
import { VERSION } from '../version';
import type { Rung } from './halving';
import { bestOf, type SearchPlan, type Trial, type TrialRecord } from './trial';

/** A trial with what came out of it so far. */
export interface Tried extends Trial {
  readonly record: TrialRecord;
  /** The last rung that it has been through, from 1; 0: none. */
  readonly rung: number;
}

export interface SearchFacts {
  readonly model: string;
  readonly metric: string;
  readonly seed: number;
  readonly epochs: number;
  readonly isFinished: boolean;
  readonly space: SearchSpace;
  readonly base: Readonly<Record<string, unknown>>;
  readonly fixed: readonly string[];
  readonly rungs: readonly Rung[];
  readonly tried: readonly Tried[];
  /** Which preset `auto` was. */
  readonly auto?: Auto;
  readonly data: string;
  readonly valid: string;
  readonly command: string;
}

/** `search.json`. */
export function searchReport({ model, metric, seed, rungs, space, base, fixed, tried, ...facts }: SearchFacts) {
  const trials = tried.map(({ number, draw, record, rung }) => {
    const top = bestOf(record, metric, rungs[Math.max(0, rung - 1)]!.epochs);
    return {
      trial: number,
      config: draw,
      rung,
      ...(top && { value: top.value, epoch: top.epoch }),
      ...(record.failure !== undefined && { failure: record.failure }),
      epochs: record.epochs,
    };
  });
  // Of equal ones the first. Whoever leads a rung goes on to the next, so nobody who was left behind can lead.
  const leader = trials.filter(({ value }) => value !== undefined).sort((a, b) => b.value! - a.value!)[0];
  const keys = Object.entries(space).filter(([key]) => !fixed.includes(key));
  return {
    ...{ model, metric, seed, data: facts.data, valid: facts.valid, isFinished: facts.isFinished, rungs },
    space: Object.fromEntries(keys.map(([key, range]) => [key, describeRange(range)])),
    ...(facts.auto && { auto: facts.auto }),
    base,
    trials,
    ...(leader && {
      best: {
        ...{ trial: leader.trial, value: leader.value!, epoch: leader.epoch! },
        config: { ...base, ...leader.config },
      },
    }),
    ...{ command: facts.command, version: VERSION },
  };
}

export type SearchReport = ReturnType<typeof searchReport>;

/** `best.json`: what `aisle train --config` takes. Of a network also the number of epochs, which schedules run over. */
export function configOf({ model, isNeural, epochs }: SearchPlan, given: Readonly<Record<string, unknown>>) {
  return { ...given, ...(isNeural && { [architectures[model]!.epochsOption]: epochs }) };
}

/** How many epochs settings ask for, where they say so. */
export function plannedEpochs(model: string, given: Readonly<Record<string, unknown>>): number | undefined {
  return given[architectures[model]!.epochsOption] as number | undefined;
}

/** What a trial reached so far, in one line. */
export function trialLine(
  { number, draw, record }: Tried,
  top: ReturnType<typeof bestOf>,
  metric: string,
  isNew: boolean,
): string {
  const seconds = record.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const how = isNew ? duration(seconds) : 'was there already';
  const result = top
    ? `${metric} ${top.value.toFixed(4)}${record.epochs.length > 1 ? ` in epoch ${top.epoch}` : ''}, ${how}`
    : `no result. ${record.failure}`;
  return `trial ${number}: ${result}  ${settingsOf(draw)}`;
}

const settingsOf = (draw: Readonly<Record<string, unknown>>): string =>
  Object.keys(draw).length === 0
    ? '(as it was given)'
    : Object.entries(draw)
        .map(([key, value]) => `${key}=${written(value)}`)
        .join(' ');

/** So many trials are listed at the end. */
const LISTED = 10;

/** @param reading Flags with which `train` reads the same files in the same way. */
export function summary(
  { model, metric, trials, best, data }: SearchReport,
  out: string,
  reading: readonly string[],
): string {
  const ranked = trials
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => b.rung - a.rung || b.value! - a.value!);
  const failed = trials.filter(({ failure }) => failure !== undefined).length;
  const lines = ranked
    .slice(0, LISTED)
    .map(
      ({ trial, rung, value, config }) =>
        `${String(trial).padStart(5)}${String(rung).padStart(6)}${value!.toFixed(4).padStart(12)}  ${settingsOf(config)}`,
    );
  const config = join(out, 'best.json');
  const files = ['--data', data, '--model', model, '--out', 'my-model', '--config', config];
  const train = ['aisle', 'train', ...files, ...reading];
  return `${[
    `${'trial'.padStart(5)}${'rung'.padStart(6)}${metric.padStart(12)}`,
    ...lines,
    ...(failed > 0
      ? [`${failed} of ${trials.length} trials gave no result; ${join(out, 'search.json')} says why.`]
      : []),
    `Best: trial ${best!.trial}, ${metric} ${best!.value.toFixed(4)} on the validation part. Written to ${config}. Train it:`,
    `  ${train.map(quoted).join(' ')}`,
  ].join('\n')}\n`;
}
