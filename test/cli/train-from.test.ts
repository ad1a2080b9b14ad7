import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { usersTensor } from '../../src/checkpoint/users';
import { architectures } from '../../src/pipeline/architectures';
import { readArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { aisle, file, folder } from './program';
import { RING_LOG, SMALL } from './ring-log';

/** A later log: most of the ring, and two items that nobody had seen. */
const LATER = RING_LOG.replaceAll(/"p""(7|8)"/g, '"new-$1"').replaceAll(/^s/gm, 't');
const RATES = ['learningRate', 'lr'];

let place: string;
let data: string;
let later: string;
beforeEach(async () => {
  place = await folder();
  data = await file('events.csv', RING_LOG);
  later = await file('later.csv', LATER.replace('tession_id', 'session_id'));
});

const at = (name: string) => join(place, name);
const train = (model: string, log: string, out: string, ...more: string[]) =>
  aisle('train', '--data', log, '--model', model, '--out', at(out), ...SMALL[model]!, ...more);

describe.each(Object.keys(architectures).filter((name) => name in SMALL))('%s', (model) => {
  test('goes on from an artifact: known items keep their numbers and what was learnt of them, new ones follow', async () => {
    expect((await train(model, data, 'first')).code).toBe(0);
    const first = await readArtifactFolder(at('first'));
    const rate = RATES.find((key) => key in first.info.config)!;
    // A step so small that nothing moves: what is left is where it started.
    const { code, stderr } = await train(model, later, 'second', '--from', at('first'), '--set', `${rate}=0.00000001`);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const second = await readArtifactFolder(at('second'));
    const n = first.itemIds.length;
    expect(second.itemIds.slice(0, n)).toEqual(first.itemIds);
    expect(second.itemIds.slice(n).sort()).toEqual(['new-7', 'new-8']);
    const [before, after] = [first, second].map(({ tensors }) => tensors['catalogue.support']!.data);
    for (let i = 1; i <= n; i++) expect(after![i]).toBeGreaterThanOrEqual(before![i]!);
    expect(after![n + 1]).toBeGreaterThan(0);
    for (const [name, { data: was, shape }] of Object.entries(first.tensors)) {
      if (name.startsWith('catalogue.')) continue;
      const { data: is, shape: newShape } = second.tensors[name]!;
      if (String(shape) === String(newShape)) {
        expectClose(is, was);
        continue;
      }
      const width = shape.slice(1).reduce((product, size) => product * size, 1);
      const extra = was.length / width - n - 1; // rows of special tokens
      expectClose(is.subarray(0, (n + 1) * width), was.subarray(0, (n + 1) * width));
      expectClose(is.subarray(is.length - extra * width), was.subarray(was.length - extra * width));
    }
  });
});

function expectClose(is: ArrayLike<number>, was: ArrayLike<number>): void {
  expect(is.length).toBe(was.length);
  let worst = 0;
  for (let i = 0; i < is.length; i++) worst = Math.max(worst, Math.abs(is[i]! - was[i]!));
  expect(worst).toBeLessThan(1e-5);
}

describe('aisle train --from', () => {
  test('has the settings of the artifact, and its command says where it began', async () => {
    await train('gru4rec', data, 'first', '--set', 'momentum=0.3');
    const argv = ['train', '--data', later, '--model', 'gru4rec', '--out', at('second'), '--from', at('first')];
    expect((await aisle(...argv, '--epochs', '1')).code).toBe(0);
    const { config, training } = (await readArtifactFolder(at('second'))).info;
    expect(config).toMatchObject({ layers: [8], momentum: 0.3 });
    expect(training['command']).toContain('--from first');
  });

  test('keeps the licence, and names what the new artifact is without', async () => {
    const catalogue = ['--catalogue', await file('shop.csv', 'item_id,title\n"p""1",Sock\n')];
    const rules = ['--rules', await file('rules.json', '[{"do":"exclude","id":"gone"}]')];
    await train('gru4rec', data, 'first', '--licence', 'MIT', '--replay', '2', ...catalogue, ...rules);
    const next = async (...more: string[]) => {
      const { code, stderr } = await train('gru4rec', later, 'second', '--from', at('first'), ...more);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      return { stderr, licence: (await readArtifactFolder(at('second'))).info.licence };
    };
    expect(await next()).toEqual({
      licence: 'MIT',
      stderr: expect.stringContaining(
        `--from: the new artifact is without the catalogue, rules, replay of ${at('first')}; ` +
          'give again --catalogue, --rules, --replay.\n',
      ),
    });
    expect(await next('--licence', 'UNLICENSED', '--replay', '2', ...catalogue, ...rules)).toEqual({
      licence: 'UNLICENSED',
      stderr: expect.not.stringContaining('--from'),
    });
    const { command } = (await readArtifactFolder(at('second'))).info.training;
    expect(command).toContain('--licence UNLICENSED');
  });

  test('reads a category of an item as before, although the catalogue has changed', async () => {
    const catalogue = (name: string, rows: readonly string[]) =>
      file(name, ['item_id,shape', ...rows.map((row) => `"p""${row}`)].join('\n'));
    const today = ['2",square', '3",round'];
    const side = ['--set', 'features=shape', '--catalogue'];
    await train('transformers4rec', data, 'first', ...side, await catalogue('first.csv', ['1",round', ...today]));
    const { code } = await train(
      'transformers4rec',
      later,
      'second',
      ...side,
      await catalogue('second.csv', today),
      '--from',
      at('first'),
    );
    expect(code).toBe(0);
    const before = await readArtifactFolder(at('first'));
    const after = await readArtifactFolder(at('second'));
    const shapeOf = ({ itemIds, tensors }: typeof before, id: string) =>
      tensors['catalogue.features.shape']!.data[itemIds.indexOf(id) + 1];
    for (const id of ['p"2', 'p"3']) expect(shapeOf(after, id)).toBe(shapeOf(before, id));
    expect(shapeOf(after, 'p"2')).not.toBe(shapeOf(after, 'p"3'));
    expect(after.info.training['itemFeatures']).toEqual(before.info.training['itemFeatures']);
  });

  test('knows each user by the same number, and puts new ones behind', async () => {
    const log = (...users: readonly string[]) =>
      RING_LOG.replaceAll(/^s(\d*).*$/gm, (line, s) => `${line},${s ? users[s % users.length] : 'user_id'}`);
    const user = ['--set', 'profile=user'];
    await train('caser', await file('first.csv', log('ann', 'bob', 'cyd')), 'first', ...user);
    const still = [...user, '--set', 'learningRate=0.00000001', '--from', at('first')];
    expect((await train('caser', await file('second.csv', log('dan', 'bob')), 'second', ...still)).code).toBe(0);
    const [first, second] = [await readArtifactFolder(at('first')), await readArtifactFolder(at('second'))];
    expect(second.info.config['users']).toBe(4);
    const idsOf = (users: readonly string[]) => usersTensor(users).then(({ data }) => Array.from(data));
    expect(Array.from(second.tensors['catalogue.users']!.data)).toEqual(await idsOf(['ann', 'bob', 'cyd', 'dan']));
    const [was, is] = [first, second].map(({ tensors }) => tensors['users']!.data);
    expectClose(is!.subarray(0, was!.length), was!);
  });

  test('learns: the second log is predicted better than by the first model', async () => {
    await train('gru4rec', data, 'first');
    await train('gru4rec', later, 'second', '--from', at('first'), '--epochs', '4');
    const mrr = async (artifact: string) => {
      const { stdout } = await aisle('evaluate', '--artifact', at(artifact), '--data', later, '--json');
      return JSON.parse(stdout);
    };
    const [first, second] = [await mrr('first'), await mrr('second')];
    expect(second.n).toBeGreaterThan(first.n); // new items are targets too
    expect(second.metrics.conservative['mrr@20']).toBeGreaterThan(0.5);
  });

  test.each([
    ['another model', ['--model', 'sasrec'], /is a gru4rec, which --model sasrec cannot go on from/],
    [
      'another width',
      ['--model', 'gru4rec', '--set', 'layers=9'],
      /weights ".+" to go on from have the shape .*, expected/,
    ],
    ['a preset by the log', ['--model', 'gru4rec', '--preset', 'auto'], /whichever .* from: leave --preset auto out/],
    ['a counting baseline', ['--model', 'pop'], /is a gru4rec, which --model pop cannot go on from/],
  ])('with %s is refused in one sentence', async (_, argv, message) => {
    await train('gru4rec', data, 'first');
    const { code, stderr } = await aisle('train', '--data', later, '--out', at('x'), '--from', at('first'), ...argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('of a baseline is refused: it counts a log once', async () => {
    await train('pop', data, 'first');
    const { code, stderr } = await aisle(
      ...['train', '--data', later, '--model', 'pop', '--out', at('x'), '--from', at('first')],
    );
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/--from is for networks/) });
  });
});
