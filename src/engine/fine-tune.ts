/** One slice of learning from the visitor: what is new in the sessions, event by event, in short turns. */
import type { Delta } from '../checkpoint/delta';
import { RecommenderError, throwIfAborted } from '../errors';
import { breathe } from '../train/breathe';
import { tuneAdapter } from '../train/tuning/tune';
import type { ItemIndex } from '../types';
import { checkFit } from './adopt';
import { encoderOf } from './encoder';
import type { Control, EngineEvent, FineTuned, FineTuneRequest, TuneProgress } from './engine';
import { groundOf, networkOf } from './ground';
import type { ModelItems } from './model-items';
import { replayOf } from './replay';
import type { TuningHost } from './tune';

/** Milliseconds of work after which a slice ends, where nothing else was asked for. */
const SLICE = 250;

/** An event that is still to be learnt, in its session of clicks that the model knows. */
interface Fresh {
  readonly item: ItemIndex;
  readonly click: EngineEvent;
  readonly session: readonly EngineEvent[];
  /** Its place there, from 0. */
  readonly position: number;
}

/** As `Engine.fineTune`, of a delta that belongs to the model. */
export async function fineTune(
  host: TuningHost,
  { sessions, user, delta, method = delta?.method ?? 'adapter', milliseconds = SLICE }: FineTuneRequest,
  { signal, onProgress = () => {} }: Control<TuneProgress> = {},
): Promise<FineTuned> {
  if (method === 'full') throw new RecommenderError('not-tunable', 'Learning all parameters is not there yet.');
  const model = host.loaded();
  networkOf(model); // says so where there is none
  const { items } = model;
  const encoder = encoderOf(host, model, signal);
  const plain = await host.turn((ends) => host.surviving(groundOf, ends), signal);
  if (delta) checkFit(delta, plain);
  const replay = await replayOf(model, encoder);
  const tuning = tuneAdapter({ ...plain, ...(replay && { replay }) }, delta);
  const fresh = freshEvents(items, sessions, delta?.learnt);
  const hidden = items.hidden([]);
  const from = performance.now();
  const isOver = () => performance.now() - from >= milliseconds;
  let done = 0;
  while (done < fresh.length && (done === 0 || !isOver())) {
    const block = fresh.slice(done, done + encoder.width());
    const before = await Promise.all(
      block.map(({ session, position }) => items.known(session.slice(0, position), user)),
    );
    const vectors = await encoder.vectors(before);
    for (const [k, { item, click }] of block.entries()) {
      throwIfAborted(signal);
      const vector = vectors[k];
      const { predicted } = await tuning.step({ item, time: click.time, hidden, ...(vector && { vector }) });
      done++;
      if (predicted) onProgress({ events: done, of: fresh.length, itemId: click.itemId, ...predicted });
      await breathe();
      if (isOver()) break;
    }
  }
  throwIfAborted(signal);
  const learnt = await tuning.save();
  return { delta: learnt, done: done === fresh.length, events: done, steps: learnt.step - (delta?.step ?? 0) };
}

/** Events that the delta does not know yet, the oldest first. */
function freshEvents(
  items: ModelItems,
  sessions: readonly (readonly EngineEvent[])[],
  learnt: Delta['learnt'] | undefined,
): Fresh[] {
  const events = sessions.flatMap((clicks) => {
    const session = clicks.filter(({ itemId }) => items.indexOf(itemId) !== undefined);
    return session.map((click, position): Fresh => ({ item: items.indexOf(click.itemId)!, click, session, position }));
  });
  events.sort((a, b) => a.click.time - b.click.time);
  const { through, atThrough } = learnt ?? { through: null, atThrough: 0 };
  if (through === null) return events;
  let equals = 0;
  return events.filter(({ click: { time } }) => time > through || (time === through && ++equals > atThrough));
}
