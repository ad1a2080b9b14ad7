/** `aisle/node` refuses a wrong argument before it reads or writes: none of the files here exist. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  catalogue,
  compare,
  evaluate,
  importWeights,
  inspect,
  pack,
  readEvents,
  search,
  split,
  train,
} from '../src/node';

type Options = Readonly<Record<string, unknown>>;
const OUT = 'node-arguments-out';
const DATA = { data: 'none.tsv', out: OUT };
/** What each function needs. */
const RIGHT = {
  train: { ...DATA, model: 'pop' },
  search: { ...DATA, model: 'stan', valid: 'last:10%' },
  split: { ...DATA, test: { share: 0.1 } },
  evaluate: { artifacts: ['none'], data: 'none.tsv' },
  compare: DATA,
  pack: { artifact: 'none', precision: 'f16', out: OUT },
  catalogue: { feeds: ['none.tsv'], out: OUT },
  importWeights: { from: 'none', weights: 'none', config: 'none', items: 'none', out: OUT },
} satisfies Readonly<Record<string, Options>>;
type Name = keyof typeof RIGHT;
const FUNCTIONS = { train, search, split, evaluate, compare, pack, catalogue, importWeights };
const call = (name: Name, options: Options): Promise<unknown> =>
  (FUNCTIONS[name] as (options: unknown) => Promise<unknown>)({ ...RIGHT[name], ...options });

const WRONG: readonly [name: Name, options: Options, says: string][] = [
  ['train', { refit: false }, '`refit`: expected yes, no, got false'],
  ['train', { epoch: 3 }, 'no option `epoch`. Did you mean "epochs"?'],
  ['train', { catalog: 'a' }, 'Did you mean "catalogue"?'],
  ['train', { read: { minlength: 3 } }, 'read: there is no option `minlength`. Did you mean "minLength"?'],
  ['train', { read: { columns: { items: 'a' } } }, 'columns: there is no option `items`. Did you mean "item"?'],
  ['train', { read: { sessionsBy: 'gap:30' } }, '`sessionsBy`'],
  ['train', { holdout: -1 }, '`holdout`: expected a whole number of 0 or more, got -1'],
  ['train', { replay: -3 }, '`replay`'],
  ['train', { threads: 0 }, '`threads`'],
  ['train', { scale: -1 }, '`scale`: expected a number above 0, got -1'],
  ['train', { valid: 'last:110%' }, '`valid`'],
  ['train', { sampleSessions: 0 }, '`sampleSessions`'],
  ['train', { backend: 'gpu' }, '`backend`'],
  ['train', { model: undefined }, '`model`: expected a text that is not empty, got undefined'],
  ['evaluate', { k: [5] }, 'no option `k`'],
  ['evaluate', { ks: [0] }, '`ks`'],
  ['evaluate', { seen: 'dropped' }, '`seen`: expected keep, drop, got "dropped"'],
  ['evaluate', { target: 'vaild' }, '`target`'],
  ['evaluate', { protocol: 'lastitem' }, '`protocol`'],
  ['evaluate', { combine: 'mean' }, '`combine`'],
  ['evaluate', { mix: { dir: 'a', weights: [0.2, 0.3] } }, '`weights`: expected a list of one share from 0 to 1'],
  ['evaluate', { mix: { dir: 'a', weights: [5] } }, '`weights`'],
  ['evaluate', { mix: { dir: 'a', weights: [-1] } }, '`weights`'],
  ['evaluate', { candidates: [] }, '`candidates`'],
  ['evaluate', { artifact: 'a' }, 'no option `artifact`. Did you mean "artifacts"?'],
  ['pack', { topItems: 1.5 }, '`topItems`'],
  ['pack', { topItems: -1 }, '`topItems`'],
  ['pack', { precision: 'int4' }, '`precision`: expected f32, f16, int8, pq, got "int4"'],
  ['pack', { mix: { dir: 'a', weights: [2] } }, '`weights`'],
  ['split', { by: 'begin' }, '`by`: expected start, end, got "begin"'],
  ['split', { test: 'last:10%' }, '`test`: expected { from }'],
  ['split', { test: { share: 10 } }, '`test`'],
  ['catalogue', { currency: 'euro' }, '`currency`'],
  ['catalogue', { feeds: 'a.tsv' }, '`feeds`'],
  ['search', { metric: 'mrr@7' }, '`metric`: expected recall@1, '],
  ['search', { valid: 'none' }, '`valid`'],
  ['compare', { seeds: 0 }, '`seeds`: expected a whole number from 1 to 100, got 0'],
  ['compare', { models: 'pop' }, '`models`: expected a list of names of models, got "pop"'],
  ['importWeights', { weight: 'a' }, 'Did you mean "weights"?'],
];

describe('a wrong argument is refused', () => {
  test.each(WRONG)('%s %j', async (name, options, says) => {
    const refusal = { name: 'RecommenderError', code: 'bad-config', message: expect.stringContaining(says) };
    await expect(call(name, options)).rejects.toMatchObject(refusal);
    expect(existsSync(OUT)).toBe(false);
  });

  test.each([
    { sessionsBy: 'gap:30' },
    { sessionsBy: { gap: 30 } },
    { timeUnit: 'us' },
    { events: 'view' },
    { minSupport: '5' },
    { skipBadRows: -1 },
  ])('readEvents %j', async (options) => {
    const refusal = { code: 'bad-config', message: expect.stringContaining(`\`${Object.keys(options)[0]}\``) };
    await expect(readEvents('none.tsv', options as never)).rejects.toMatchObject(refusal);
    await expect(inspect('none.tsv', { read: options as never })).rejects.toMatchObject(refusal);
  });

  test('also what JSON does not write', async () => {
    await expect(call('evaluate', { ks: [1n] })).rejects.toThrow(/^evaluate: `ks`: expected .*, got an array\.$/);
  });

  test('where the options are missing, or the path', async () => {
    await expect(train(undefined as never)).rejects.toMatchObject({ code: 'bad-config' });
    await expect(readEvents(undefined as never)).rejects.toMatchObject({ code: 'bad-config' });
    await expect(readEvents('none.tsv', {}, { onprogress() {} } as never)).rejects.toThrow('"onProgress"');
  });
});

/** A call that gets as far as the files, which are missing, was not refused. */
const PASSED: readonly [name: Name, options: Options][] = [
  ...Object.keys(RIGHT).map((name): [Name, Options] => [name as Name, {}]),
  ['train', { refit: 'no', epochs: undefined, valid: 'none', config: {}, onMessage() {} }],
  ['train', { read: { columns: { user: '' }, sessionsBy: { by: 'gap', minutes: 30 }, features: 'all', minLength: 1 } }],
  [
    'evaluate',
    { mix: { dir: 'none', weights: [0.2] }, ks: [5], backend: 'plan', signal: new AbortController().signal },
  ],
  ['split', { test: { from: 1_700_000_000 }, valid: { seconds: 86_400, from: undefined }, by: 'end' }],
  ['split', { read: { sessionsBy: { by: 'user', minutes: undefined }, skipBadRows: Number.POSITIVE_INFINITY } }],
];
test.each(PASSED.filter(([name]) => name !== 'importWeights'))('%s takes %j', async (name, options) => {
  await expect(call(name, options)).rejects.not.toMatchObject({ code: 'bad-config' });
  expect(existsSync(OUT)).toBe(false);
});
