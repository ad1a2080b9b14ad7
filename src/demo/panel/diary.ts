/**
 * What happened since the page was opened: what was taken away from the suggestions, what the library reports of it, and whether
 * they still come.
 */
import type { DegradationCode } from '../../index';
import { textOf } from '../dom';
import { productOf, type Shop } from '../shop';
import type { Visit } from '../visit';
import { milliseconds } from './controls';
import { engineName } from './engine-name';
import { text } from './texts';

export interface Entry {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `act`: something was taken away, or given back. `report`: by the library. `good` and `bad`: whether suggestions came. */
  kind: 'act' | 'report' | 'asking' | 'good' | 'bad';
  text: string;
  /** In the library's words. */
  readonly why: string | undefined;
}

export interface Diary {
  /** The newest last. */
  readonly entries: readonly Entry[];
  /** What was asked for last, and what came. */
  readonly suggested: { readonly title: string; readonly items: readonly { readonly itemId: string }[] };
  /** Notes what the library reports since the last call. */
  look(): void;
  /** Notes what was done, and asks for what is related to the next product of the catalogue: nobody has computed that yet. */
  act(words: string): Promise<void>;
}

const MOST = 60;
/** Suggestions that are asked for. */
const ASKED = 12;
/** From one product that is asked about to the next: neighbours in a catalogue are alike. */
const STRIDE = 61;

/** @param changed Called after every change that `look` does not see. */
export function openDiary(shop: Shop, visit: Visit, changed: () => void): Diary {
  const entries: Entry[] = [];
  const degraded = new Map<DegradationCode, string>();
  let engine: string | undefined;
  let storage: string | undefined;
  let suggested: Diary['suggested'] = { title: '', items: [] };
  let asked = 0;

  function add(kind: Entry['kind'], words: string, why?: string): Entry {
    const entry: Entry = { time: Date.now(), kind, text: words, why };
    entries.push(entry);
    entries.splice(0, entries.length - MOST);
    return entry;
  }

  function look(): void {
    const { status } = visit;
    if (!status) return;
    const nextEngine = JSON.stringify(status.engine);
    if (nextEngine !== undefined && nextEngine !== engine) {
      if (engine !== undefined) add('report', text.plugs.now(engineName(visit)), status.engine?.why);
      engine = nextEngine;
    }
    if (status.storage !== storage) {
      if (storage !== undefined) add('report', text.visit.places[status.storage]);
      storage = status.storage;
    }
    const now = new Map(status.degraded.map(({ code, message }) => [code, text.degraded[code] ?? message]));
    for (const [code, message] of now) if (degraded.get(code) !== message) add('report', message);
    for (const [code, message] of degraded) if (!now.has(code)) add('report', text.plugs.over(message));
    degraded.clear();
    for (const [code, message] of now) degraded.set(code, message);
  }

  return {
    entries,
    get suggested() {
      return suggested;
    },
    look,
    async act(words) {
      add('act', words);
      const answer = add('asking', text.plugs.asking);
      changed();
      const started = performance.now();
      try {
        const known = [...shop.known];
        const id = known[(asked++ * STRIDE) % known.length]!;
        suggested = { title: productOf(shop, id)!.title, items: await visit.related(id, ASKED) };
        look();
        const time = milliseconds(performance.now() - started);
        const { length } = suggested.items;
        answer.kind = length > 0 ? 'good' : 'bad';
        answer.text = length > 0 ? text.plugs.answered(length, time, engineName(visit)) : text.plugs.noAnswer;
      } catch (error) {
        answer.kind = 'bad';
        answer.text = textOf(error);
      }
      changed();
    },
  };
}
