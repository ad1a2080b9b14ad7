/**
 * Eight tabs of one shop on a stormy day (`chaos.ts`): workers, renderers and the GPU die, the network and the space come and go, the
 * visitor erases, denies and consents, tabs freeze, leave and come back. No acknowledged event is lost, nothing is thrown into a
 * page, no answer is wrong, nothing is left of what was erased. `npm run soak -- attacks/chaos` lets it storm for an hour, or for
 * CHAOS_MINUTES, and writes the counts to test/bench/results/chaos.json.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Recommender } from '../../src/index';
import { commit, machine } from '../bench/machine';
import { RESULTS } from '../bench/results';
import { isSoak } from '../soak-slice';
import { tried } from '../tries';
import { storm } from './chaos';

const MINUTES = Number(process.env['CHAOS_MINUTES'] ?? 60);
const STEPS = 40;

test(
  'a storm of faults costs no event, throws nothing, and no answer is wrong',
  async () => {
    const from = Date.now();
    const minutes = () => (Date.now() - from) / 60_000;
    const goesOn = (steps: number) => (isSoak ? minutes() < MINUTES : steps < STEPS);
    const report = await storm({ seed: 28, isWhole: isSoak, goesOn });
    if (isSoak) {
      const about = { commit: commit(), machine: machine(), minutes: Math.round(minutes()) };
      writeFileSync(join(RESULTS, 'chaos.json'), `${JSON.stringify({ ...about, ...report }, null, 1)}\n`);
    }
    tried(report.steps);
    expect(report.breaches, report.trace.join('\n')).toEqual([]);
    expect(report.found).toBeGreaterThan(STEPS / 4);
    expect(report.answers).toBeGreaterThan(STEPS / 10);
  },
  60_000 * (MINUTES + 20),
);

/** What a page does beside, what is to be said of it. */
const PLANTS: readonly (readonly [what: string, plant: (recommender: Recommender) => void, said: RegExp])[] = [
  ['throws', () => void setTimeout(() => Promise.reject(new Error('a mistake'))), /thrown into the page: .*a mistake/],
  ['complains', () => console.error('a mistake'), /on the console: a mistake/],
  [
    'gives answers backwards',
    (recommender) => {
      const { recommend } = recommender;
      recommender.recommend = async (request) => (await recommend(request)).toReversed();
    },
    /wrong answer/,
  ],
  [
    'deletes records that were acknowledged',
    (recommender) => {
      recommender.on('stored', () => {
        const opening = indexedDB.open('aisle');
        opening.onupgradeneeded = () => opening.transaction!.abort();
        opening.onsuccess = () => {
          const records = opening.result.transaction('records', 'readwrite').objectStore('records');
          records.delete(IDBKeyRange.bound('e2/', 'e2/\uffff'));
          opening.result.close();
        };
      });
    },
    /was acknowledged and is lost/,
  ],
  [
    'deletes a record of which it says nothing',
    (recommender) => {
      recommender.on('stored', () => {
        const opening = indexedDB.open('aisle');
        opening.onupgradeneeded = () => opening.transaction!.abort();
        opening.onsuccess = () => {
          const records = opening.result.transaction('records', 'readwrite').objectStore('records');
          const keys = records.getAllKeys(IDBKeyRange.bound('e2/', 'e2/\uffff'));
          keys.onsuccess = () => void records.delete(keys.result[0]!);
          opening.result.close();
        };
      });
    },
    /deleted events at .* and does not say so/,
  ],
  [
    'makes room by one of its newest records',
    () => {
      const keys: IDBValidKey[] = [];
      const { put, delete: remove } = IDBObjectStore.prototype;
      const isEvents = (key: unknown) => String(key).startsWith('e2/');
      // The device is full at forty records, more than what stays in any case, of which a transaction that commits at once would not
      // wait to hear.
      Object.assign(IDBTransaction.prototype, { commit: undefined });
      IDBObjectStore.prototype.put = function (value, key) {
        const { transaction } = this;
        const counted = this.count(IDBKeyRange.bound('e2/', 'e2/\uffff'));
        counted.onsuccess = () => {
          if (!isEvents(key) || counted.result < 40) return;
          Object.defineProperty(transaction, 'error', { value: new DOMException('full', 'QuotaExceededError') });
          transaction.abort();
        };
        if (isEvents(key) && keys.at(-1) !== key) keys.push(key!);
        return put.call(this, value, key);
      };
      IDBObjectStore.prototype.delete = function (key) {
        if (isEvents(key) && keys.length > 1) remove.call(this, keys.at(-2)!); // the last one does not fit
        return remove.call(this, key);
      };
    },
    /was acknowledged and is lost/,
  ],
  [
    'stores what was denied or erased',
    () => void setInterval(() => indexedDB.open('leftover'), 200),
    /after an erasure, there is .*leftover|after a denial, there is .*leftover/,
  ],
];

if (isSoak)
  test.each(PLANTS)('a page that %s is found out', async (_, plant, said) => {
    const { breaches } = await storm({ seed: 28, isWhole: false, goesOn: (steps) => steps < 10 * STEPS, plant });
    expect(breaches.join('\n')).toMatch(said);
  });
