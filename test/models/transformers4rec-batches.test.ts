import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import { transformers4recTraining } from '../../src/models/transformers4rec/transformers4rec-training';
import { streamsOf } from '../../src/train/step';
import { logOf } from '../train/helpers';

const sessions = logOf([[1, 2, 3], [4], [5, 6, 7, 8, 9], [1, 9]]);
const log = { sessions, catalogue: { items: 9 }, first: 0 };
const configOf = (given: object) =>
  configure(transformers4rec, { totalSeqLength: 4, batchSize: 2, dModel: 8, itemEmbeddingDim: 8, ...given });
const rowsOf = (given: object) => [...transformers4recTraining.rows(log, configOf(given), streamsOf(1, 0))];
const itemsOf = ({ from, end }: { from: number; end: number }) => Array.from(sessions.items.subarray(from, end));

describe('the batches of Transformers4Rec', () => {
  test.each<[string, object]>([
    ['clm', { lm: 'gpt2', objective: 'clm' }],
    ['mlm', { lm: 'bert', objective: 'mlm', mlmProbability: 0.4 }],
    ['plm', { lm: 'xlnet', objective: 'plm', plmProbability: 0.5, maxSpanLength: 2 }],
  ])('by %s: every target is an item that is hidden, read where it stood, the next click before it', (_, given) => {
    const config = configOf(given);
    const back = config.objective === 'clm' ? 1 : 0;
    const rows = rowsOf(given);
    for (const chosen of rows) {
      const { inputs, cells, targets } = transformers4recTraining.batch(chosen, log, config, streamsOf(1, 0));
      const width = inputs.items!.shape[1]!;
      targets.data.forEach((item, m) => {
        const row = Math.floor(cells[m]! / width);
        const at = (cells[m]! % width) + back;
        expect(itemsOf(chosen[row]!)[at]).toBe(item);
        expect(chosen[row]!.hidden.targets[at]).toBe(1);
      });
      const count = chosen.reduce((total, { hidden }) => total + hidden.targets.filter(Boolean).length, 0);
      expect(targets.data.length).toBe(count);
      expect(chosen.reduce((sum, row) => sum + transformers4recTraining.size!(row).targets, 0)).toBe(count);
    }
    // Sessions of one click teach nothing, of longer ones than the model sees the newest clicks.
    expect(rows.flat().map(itemsOf).map(String).toSorted()).toEqual(['1,2,3', '1,9', '6,7,8,9']);
  });

  test('with prefixes, each of them of two clicks or more is a session of its own', () => {
    const rows = rowsOf({ lm: 'bert', objective: 'mlm', trainOnPrefixes: true });
    const expected = ['1,2', '1,2,3', '1,9', '5,6', '5,6,7', '5,6,7,8', '6,7,8,9'];
    expect(rows.flat().map(itemsOf).map(String).toSorted()).toEqual(expected);
  });
});
