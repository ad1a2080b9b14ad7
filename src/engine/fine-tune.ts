/** One portion of learning from the visitor: the new events of the sessions, one by one, in short slices of the executor. */
import type { Delta, TuneMethod } from '../checkpoint/delta';
import { throwIfAborted } from '../errors';
import { loaded } from '../loaded';
import { type ReadEvent, readOf } from '../session/visitor-history';
import type { FrozenModel, TuneEvent } from '../train/tuning/frozen-model';
import { guardAhead } from '../train/tuning/guard';
import { type Tuned, tuneAdapter } from '../train/tuning/tune';
import { yieldToEventLoop } from '../train/yield-to-event-loop';
import type { ItemIndex } from '../types';
import { checkBase, checkFit } from './adapter';
import { type Encoder, encodedReplay, encoderOf } from './encoder';
import { frozenModelOf, networkOf } from './frozen-model';
import type { ModelItems } from './model-items';
import type { Placed } from './placed';
import type { FineTuned, FineTuneRequest, LearnableEvent, TuneProgress } from './types';

/** Default milliseconds of work after which a slice ends. */
const SLICE = 250;
/** Milliseconds of work in one task. On a slow device the next event adds as much again, or more. */
const TASK = 12;

/** An event that is still to be learnt, of an item that the model knows. */
interface Fresh {
  readonly item: ItemIndex;
  readonly click: LearnableEvent;
  /** The events that a recommendation would have read then; empty if the event is not predicted. */
  before(): readonly LearnableEvent[];
}

/** As `Engine.fineTune`, of a delta that belongs to the model. */
export async function fineTune(
  placement: Placed,
  request: FineTuneRequest,
  signal: AbortSignal,
  onProgress: (progress: TuneProgress) => void = () => {},
): Promise<FineTuned> {
  if (request.delta) checkBase(request.delta, placement);
  const { user, delta, method = delta?.method ?? 'adapter', milliseconds = SLICE } = request;
  if (delta && delta.method !== method) {
    throw new RangeError(`fineTune: the delta was learnt by "${delta.method}", and cannot go on by "${method}".`);
  }
  networkOf(placement); // throws if there is none
  const { items } = placement;
  const encoder = encoderOf(placement, signal);
  const frozen = await placement.run(frozenModelOf, signal);
  if (delta) await checkFit(delta, placement.artifact, frozen);
  const tuning = await createTuning(placement, method, frozen, encoder, { delta, signal });
  const fresh = freshEvents(items, request);
  // Thousands of automated events must not cost a prediction each.
  const isRefused = guardAhead(delta?.guard);
  const hidden = items.hidden([]);
  const from = performance.now();
  const isOver = () => performance.now() - from >= milliseconds;
  let done = 0;
  while (done < fresh.length && (done === 0 || !isOver())) {
    const block = fresh.slice(done, done + encoder.width());
    const read = block.map(({ click, before }) => (isRefused(click) ? [] : before()));
    const before = await Promise.all(read.map((clicks) => items.known(clicks, user)));
    await yieldToEventLoop(TASK);
    const vectors = await encoder.vectors(before);
    for (const [k, { item, click }] of block.entries()) {
      throwIfAborted(signal);
      const vector = vectors[k];
      const event = { item, time: click.time, hidden, ...(vector && { vector, session: before[k]! }) };
      const { predicted } = await tuning.step(event);
      done++;
      if (predicted) onProgress({ events: done, of: fresh.length, itemId: click.itemId, ...predicted });
      await yieldToEventLoop(TASK);
      if (isOver()) break;
    }
  }
  throwIfAborted(signal);
  const learnt = await tuning.save();
  return { delta: learnt, done: done === fresh.length, events: done, steps: learnt.step - (delta?.step ?? 0) };
}

/** Makes the tuning of a method. */
async function createTuning(
  placement: Placed,
  method: TuneMethod,
  frozen: FrozenModel,
  encoder: Encoder,
  { delta, signal }: { readonly delta: Delta | undefined; readonly signal: AbortSignal },
): Promise<{ step(event: TuneEvent): Promise<Tuned>; save(): Promise<Delta> }> {
  if (method === 'adapter') {
    const replay = await encodedReplay(placement.artifact, encoder);
    return tuneAdapter({ ...frozen, ...(replay && { replay }) }, delta);
  }
  const { tuneFull } = await loaded(import('./tuned-network'), 'learning');
  return tuneFull(placement, frozen, delta, signal);
}

/** Whether an event puts into the cart, buys or the like what the event before was about: preferences do not predict it. */
export const isFurtherStep = (before: ReadEvent | undefined, { itemId, event = 'view' }: ReadEvent): boolean =>
  before?.itemId === itemId && event !== 'view';

/** Events that the delta does not know yet, the oldest first. */
function freshEvents(items: ModelItems, { sessions, history, leftOut, since, delta }: FineTuneRequest): Fresh[] {
  const events = sessions.flatMap((session, s) =>
    session.flatMap((click, position): Fresh[] => {
      const item = items.indexOf(click.itemId);
      if (item === undefined) return [];
      const isStep = isFurtherStep(session[position - 1], click);
      const before = () => readOf(sessions.slice(0, s), session.slice(0, position), click.time, { history }, leftOut);
      return [{ item, click, before: isStep ? () => [] : before }];
    }),
  );
  events.sort((a, b) => a.click.time - b.click.time);
  const { through, atThrough } = delta?.learnt ?? { through: null, atThrough: 0 };
  let equals = 0;
  return events.filter(({ click: { time } }) => {
    if (since !== undefined && time <= since) return false;
    return through === null || time > through || (time === through && ++equals > atThrough);
  });
}
