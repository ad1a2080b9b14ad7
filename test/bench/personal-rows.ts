/** The rows of `npm run bench -- personal`: each visitor's events in order, predicted and then learnt, as a page does. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import type { GateState } from '../../src/checkpoint/delta';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { registerTraining } from '../../src/compute/training';
import { baseNetwork, frozenModelOf } from '../../src/engine/frozen-model';
import { loadNetwork } from '../../src/ranking/load-scorer';
import { Adapter } from '../../src/train/tuning/adapter';
import type { FineTuner } from '../../src/train/tuning/fine-tuner';
import type { FrozenModel, Pair, TuneEvent } from '../../src/train/tuning/frozen-model';
import { Full } from '../../src/train/tuning/full';
import { CLOSED, GATE, judge } from '../../src/train/tuning/gate';
import { ADAPTER, type AdapterSettings, FULL } from '../../src/train/tuning/settings';
import { Tuning } from '../../src/train/tuning/tune';
import { type Base, write } from './personal-base';
import type { HeldOutVisitor, PersonalLog } from './personal-logs';
import { MIXTURES, type ModelName, mixtureOf, type RowName, rowKey, UNCOUNTED } from './personal-plan';

/** Visitors of a chunk: what an interruption loses at most. */
export const CHUNK = 100;
/** One visitor's predicted events. */
export interface Followed {
  /** By event: rank by the base, by the tuned model without a gate, of what the page shows with it. */
  readonly base: Int32Array;
  readonly ungated: Int32Array;
  readonly gated: Int32Array;
  /** First event that the tuned model answered; −1 where the gate never opened. */
  readonly opened: number;
  readonly rollbacks: number;
}

/** What all visitors of a log and model have in common. */
export interface Stage {
  readonly log: PersonalLog;
  readonly base: Base;
  readonly frozen: FrozenModel;
}

/** Learns by the frozen model that a page would learn by. */
export const stageOf = async (log: PersonalLog, base: Base): Promise<Stage> => ({
  log,
  base,
  frozen: await frozenModelOf(base),
});

/** The counts alone, with the weights that suit the tuning visitors of this log and model best. */
export async function fittedMixture(stage: Stage, model: ModelName, work: string): Promise<AdapterSettings> {
  const visitors = stage.log.tuning.slice(0, 60);
  const { name } = stage.log;
  const file = join(work, `mixture-${name}-${model}-${rowKey(name, model, 'mixture')}.json`);
  if (existsSync(file)) return mixtureOf(...(JSON.parse(readFileSync(file, 'utf8')) as [number, number]));
  let best = { mrr: -1, item: 0, taste: 0 };
  for (const { item, taste, settings } of MIXTURES) {
    let mrr = 0;
    for (const visitor of visitors) {
      const fineTuner = new Adapter(stage.frozen, undefined, settings);
      for (const event of eventsOf(stage, visitor)) {
        const rank = event.vector ? fineTuner.predict(event).tuned.rank : Number.POSITIVE_INFINITY;
        if (rank <= 20) mrr += 1 / rank;
        fineTuner.count(event);
      }
    }
    if (mrr > best.mrr) best = { mrr, item, taste };
  }
  write(file, JSON.stringify([best.item, best.taste]));
  return mixtureOf(best.item, best.taste);
}

/** Makes each visitor's fineTuner. */
export type MakeFineTuner = () => FineTuner | Promise<FineTuner>;

/** How the row learns: its settings, and learners from the start. */
export async function fineTunersOf(
  row: RowName,
  model: ModelName,
  stage: Stage,
  work: string,
): Promise<{ readonly settings: unknown; readonly make: MakeFineTuner }> {
  if (row === 'full') return { settings: FULL, make: await fullLearners(stage) };
  const settings =
    row === 'adapter' ? ADAPTER : row === 'uncounted' ? UNCOUNTED : await fittedMixture(stage, model, work);
  return { settings, make: () => new Adapter(stage.frozen, undefined, settings) };
}

async function fullLearners({ base, frozen }: Stage): Promise<MakeFineTuner> {
  await registerTraining();
  const network = { ...(await baseNetwork(base.artifact)), model: await loadNetwork(base.artifact.info.architecture) };
  return () => new Full(frozen, network);
}

export function* eventsOf(
  { log, base }: Pick<Stage, 'log' | 'base'>,
  { id, items, times, sessions, isStep }: HeldOutVisitor,
): Generator<TuneEvent> {
  const vectors = base.vectors.get(id)!;
  const d = vectors.length / items.length;
  const hidden = new Set<number>();
  let start = 0;
  for (let e = 0; e < items.length; e++) {
    const isFirst = e === 0 || sessions[e] !== sessions[e - 1];
    if (isFirst) start = e;
    yield {
      item: items[e]!,
      time: times[e]!,
      ...(!isFirst &&
        !isStep[e] && {
          vector: vectors.subarray(e * d, (e + 1) * d),
          session: { items: items.subarray(start, e), times: times.subarray(start, e) },
        }),
      ...(log.dropsSeen && { hidden }),
    };
    hidden.add(items[e]!);
  }
}

/** Follows one visitor with and without the gate. Learning differs only after a rollback, so mostly once is enough. */
export async function follow(stage: Stage, visitor: HeldOutVisitor, make: MakeFineTuner): Promise<Followed> {
  const fineTuner = await make();
  const free = await learn(
    stage,
    visitor,
    new Tuning({ frozen: stage.frozen, method: 'adapter', fineTuner, gate: false }),
  );
  let gate = CLOSED;
  let gated: { pair: Pair; isOpen: boolean }[] = free.map(({ pair, refused }) => {
    const before: GateState = gate;
    if (!refused) gate = judge(gate, pair, GATE);
    return { pair, isOpen: before.isOpen };
  });
  if (gate.rollbacks > 0) {
    const again = await make();
    const tuning = new Tuning({ frozen: stage.frozen, method: 'adapter', fineTuner: again, gate: GATE });
    gated = await learn(stage, visitor, tuning);
    gate = tuning.gate;
  }
  return {
    base: Int32Array.from(free, ({ pair }) => pair.base.rank),
    ungated: Int32Array.from(free, ({ pair }) => pair.tuned.rank),
    gated: Int32Array.from(gated, ({ pair, isOpen }) => (isOpen ? pair.tuned.rank : pair.base.rank)),
    opened: gated.findIndex(({ isOpen }) => isOpen),
    rollbacks: gate.rollbacks,
  };
}

async function learn(stage: Stage, visitor: HeldOutVisitor, tuning: Tuning) {
  const found: { pair: Pair; isOpen: boolean; refused: boolean }[] = [];
  for (const event of eventsOf(stage, visitor)) {
    const { isOpen } = tuning.gate;
    const { predicted, refused } = await tuning.step(event);
    if (predicted) found.push({ pair: predicted, isOpen, refused: refused !== undefined });
  }
  return found;
}

export function writeChunk(file: string, visitors: readonly Followed[]): void {
  const joined = (of: (visitor: Followed) => Int32Array) => {
    const data = Int32Array.from(visitors.flatMap((visitor) => [...of(visitor)]));
    return { data, shape: [data.length] };
  };
  const facts = visitors.flatMap(({ base, opened, rollbacks }) => [base.length, opened, rollbacks]);
  write(
    file,
    encodeSafetensors({
      base: joined(({ base }) => base),
      ungated: joined(({ ungated }) => ungated),
      gated: joined(({ gated }) => gated),
      visitors: { data: Int32Array.from(facts), shape: [visitors.length, 3] },
    }),
  );
}

export function readChunk(file: string): Followed[] | undefined {
  if (!existsSync(file)) return undefined;
  const { tensors } = decodeSafetensors(readFileSync(file), file);
  const [base, ungated, gated, facts] = ['base', 'ungated', 'gated', 'visitors'].map(
    (name) => tensors[name]!.data as Int32Array,
  ) as [Int32Array, Int32Array, Int32Array, Int32Array];
  const found: Followed[] = [];
  let at = 0;
  for (let v = 0; v < facts.length; v += 3) {
    const end = at + facts[v]!;
    const cut = (values: Int32Array) => values.subarray(at, end);
    found.push({
      base: cut(base),
      ungated: cut(ungated),
      gated: cut(gated),
      opened: facts[v + 1]!,
      rollbacks: facts[v + 2]!,
    });
    at = end;
  }
  return found;
}
