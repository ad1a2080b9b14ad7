/** A log in which what a click says beside its item tells the next one, its catalogue, and a model that learns it quickly. */
import { random } from '../../src/session/random';

export const ITEMS = 8;
export interface Click {
  readonly session: number;
  readonly item: number;
  readonly time: number;
  readonly device: string;
  readonly minute: number;
}

/** Visitors walk a ring of 8 items: by one from a phone, by two from a desktop. Nothing else tells the next item. */
export function visits(seed: number, count: number): Click[] {
  return Array.from({ length: count }, (_, session) => {
    const { integer } = random(seed, 'visits', session);
    let item = integer(ITEMS);
    return Array.from({ length: 5 }, (_, t) => {
      const device = integer(2) === 0 ? 'phone' : 'desktop';
      const time = 1_700_000_000 + seed * 3_000_000 + 4000 * session + 60 * t;
      const click = { session, item, time, device, minute: integer(60) };
      item = (item + (device === 'phone' ? 1 : 2)) % ITEMS;
      return click;
    });
  }).flat();
}

const HEADER = 'session_id\titem_id\ttimestamp\tdevice\tminute\tdwell\n';
/** `dwell` is missing at every third click. */
export const dwell = ({ minute }: Click, e: number): string => (e % 3 === 2 ? '' : `${minute / 4}`);
export const table = (clicks: readonly Click[]): string =>
  HEADER +
  clicks
    .map((click, e) => {
      const { session, item, time, device, minute } = click;
      return `s${session}\tp${item}\t${time}\t${device}\t${minute}\t${dwell(click, e)}\n`;
    })
    .join('');

/** The last item is not in it, and the one before has no price. */
export const CATALOGUE = `item_id\tcolour\tprice\treleased\n${Array.from(
  { length: ITEMS - 1 },
  (_, k) => `p${k}\t${k % 2 === 0 ? 'red' : 'blue'}\t${k === ITEMS - 2 ? '' : 3 * k}\t2023-0${k + 1}-01\n`,
).join('')}`;

const SETTINGS = ['lm=gru', 'objective=clm', 'dModel=24', 'itemEmbeddingDim=24', 'nLayer=1', 'learningRate=0.01'];
export const set = (...pairs: string[]) => pairs.flatMap((pair) => ['--set', pair]);
export const SMALL = set(...SETTINGS, 'batchSize=32', 'labelSmoothing=0', 'dropout=0', 'inputDropout=0');
