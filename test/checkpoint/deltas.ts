/** Small deltas for tests. */
import type { Delta } from '../../src/checkpoint/delta';

/** What a visitor of the small model of `test/engine/fixture.ts` may have learnt, odd ids and odd numbers included. */
export const DELTA: Delta = {
  format: 1,
  method: 'adapter',
  base: { name: 'small gru4rec', version: '1.0.0', architecture: 'gru4rec', hash: 'ab'.repeat(32), items: 60 },
  itemIds: ['a,b', '🧦', '__proto__', '\ud800', 'item-9'],
  arrays: {
    shift: { data: Float32Array.of(0.5, -1e-30, 3.4e38, 0), shape: [4] },
    'rows.table': { data: Float32Array.from({ length: 20 }, (_, i) => Math.sin(i)), shape: [5, 4] },
    'rows.count': { data: Float32Array.of(1, 2, 3, 4, 5), shape: [5] },
    'slot.rows.table': { data: Float32Array.of(5, 4, 3, 2, 1), shape: [5] },
    'slot.seen': { data: Int32Array.of(7), shape: [] },
  },
  step: 12,
  learnt: { events: 14, through: 1_700_000_000.25, atThrough: 2 },
  gate: {
    isOpen: true,
    events: 14,
    evidence: 3.25,
    against: -0.5,
    sum: 2,
    squares: 1.5,
    base: 0.5,
    tuned: 2.25,
    openings: 1,
    rollbacks: 0,
  },
  guard: {
    refused: { rate: 3, repetition: 0, entropy: 0 },
    recent: [{ itemId: '🧦', time: 1_700_000_000.25 }],
    surprise: -0.75,
  },
};
