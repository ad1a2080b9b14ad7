/** The files of a search: search.json and best.json. */
import { describeRange, type SearchSpace } from '../../models/search-space';
import { architectures } from '../architectures';
import type { Auto, Settings } from '../configuration';
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
  readonly base: Settings;
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
  // Of equal trials the first. The best of a rung that does not fail is always promoted, so a trial that was left behind cannot lead.
  const leader = trials.filter(({ value }) => value !== undefined).sort((a, b) => b.value! - a.value!)[0];
  const keys = Object.entries(space).filter(([key]) => !fixed.includes(key));
  return {
    model,
    metric,
    seed,
    data: facts.data,
    valid: facts.valid,
    isFinished: facts.isFinished,
    rungs,
    space: Object.fromEntries(keys.map(([key, range]) => [key, describeRange(range)])),
    ...(facts.auto && { auto: facts.auto }),
    base,
    trials,
    ...(leader && {
      best: {
        trial: leader.trial,
        value: leader.value!,
        epoch: leader.epoch!,
        config: { ...base, ...leader.config },
      },
    }),
    command: facts.command,
    version: VERSION,
  };
}

export type SearchReport = ReturnType<typeof searchReport>;

/** `best.json`: what `aisle train --config` takes. Of a network also the number of epochs, which schedules run over. */
export function configOf({ model, isNeural, epochs }: SearchPlan, given: Settings) {
  return { ...given, ...(isNeural && { [architectures[model]!.epochsOption]: epochs }) };
}

/** The number of epochs in the settings, if they contain it. */
export function plannedEpochs(model: string, given: Settings): number | undefined {
  return given[architectures[model]!.epochsOption] as number | undefined;
}
