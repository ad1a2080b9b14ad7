/** Side information where models are compared, searched, trained window by window and trained further. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { aisle, file, folder } from './program';
import { CATALOGUE, SMALL, set, table, visits } from './visits';

let place: string;
let data: string;
let items: string;
beforeEach(async () => {
  place = await folder();
  data = await file('train.tsv', table(visits(1, 60)));
  items = await file('items.tsv', CATALOGUE);
});

const at = (...names: string[]) => join(place, ...names);
const json = (...names: string[]) => JSON.parse(readFileSync(at(...names), 'utf8'));
const config = (features: string) => ({
  ...Object.fromEntries(SMALL.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string])),
  features,
});
const row = (features: string, more: object = {}) => ({
  name: features,
  model: 'transformers4rec',
  config: config(features),
  ...more,
});

describe('aisle compare --catalogue', () => {
  const compare = async (rows: readonly object[], ...argv: string[]) =>
    aisle(
      ...['compare', '--data', data, '--out', at('report'), '--models', 'pop', '--epochs', '1'],
      ...['--variants', await file('variants.json', JSON.stringify(rows)), ...argv],
    );
  const commands = (name: string): string[] =>
    json('report', 'report.json').rows.find((row: { name: string }) => row.name === name).commands;

  test('gives the catalogue to the rows that read features, and to no other', async () => {
    const { code, stderr } = await compare(
      [row('colour,device'), row('none', { config: config('') })],
      '--catalogue',
      items,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    expect(commands('colour,device')[0]).toContain(`--catalogue ${at('report', 'cells', 'catalogue.json')}`);
    expect(commands('none')[0]).not.toContain('--catalogue');
    expect(commands('pop')[0]).not.toContain('--catalogue');
    expect(json('report', 'report.json').command).toContain(`--catalogue ${items}`);
  });

  test('redoes a row whose catalogue has changed, and only that', async () => {
    const rows = [row('colour')];
    expect((await compare(rows, '--catalogue', items)).code).toBe(0);
    const other = await file('items.tsv', CATALOGUE.replace('\tred\t', '\tgreen\t'));
    const { code, stderr } = await compare(rows, '--catalogue', other);
    expect(code).toBe(0);
    expect(stderr).toMatch(/\[1\/2\] pop: .*was there already/);
    expect(stderr).toMatch(/\[2\/2\] colour, seed 1: .*trained in/);
  });

  test('finds the ids of a catalogue whose column has the name that the log gives it', async () => {
    const name = (text: string) => file('named.tsv', text.replace('item_id', 'sku'));
    data = await name(table(visits(1, 60)));
    const argv = ['--columns', 'item=sku', '--catalogue', await name(CATALOGUE)];
    const { code, stderr } = await compare([row('price:soft')], ...argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/no result|lacks [2-9]/) });
  });

  test('tells of a catalogue that no row reads', async () => {
    const { code, stderr } = await compare([row('none', { config: config('') })], '--catalogue', items);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Warning: no row reads what') });
  });

  test('refuses a damaged catalogue before anything is trained', async () => {
    const broken = await file('items.tsv', CATALOGUE.replace('item_id', 'name'));
    const { code, stderr } = await compare([row('colour')], '--catalogue', broken);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('items.tsv:1: no column "item_id"') });
  });

  test('gives it to every window of the incremental protocol', async () => {
    const rows = [row('colour', { retrain: 'all' }), row('device', { retrain: 'before' })];
    const { code, stderr } = await compare(rows, '--protocol', 'incremental', '--catalogue', items);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
    const trainings = commands('colour').filter((line) => line.startsWith('aisle train'));
    expect(trainings.length).toBeGreaterThan(1);
    for (const line of trainings) expect(line).toContain('--catalogue');
  });
});

describe('an artifact that reads the catalogue', () => {
  const train = (log: string, out: string, ...argv: string[]) =>
    aisle(
      ...['train', '--data', log, '--model', 'transformers4rec', '--out', at(out), '--catalogue', items],
      ...[...SMALL, ...argv],
    );

  test('is evaluated window by window with the one that it carries', async () => {
    expect((await train(data, 'model', ...set('features=colour'), '--epochs', '1')).code).toBe(0);
    const argv = ['--artifact', at('model'), '--data', data, '--protocol', 'incremental', '--retrain', 'all'];
    const { code, stdout } = await aisle('evaluate', ...argv, '--epochs', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).windows.length).toBeGreaterThan(1);
  });

  test('keeps the meaning of its values in a training that goes on, whatever the later log has most of', async () => {
    expect((await train(data, 'first', ...set('features=device'), '--epochs', '1')).code).toBe(0);
    const values = (name: string): string[] => json(name, 'manifest.json').features.device.values;
    const [most] = values('first');
    // Of the later log most clicks are from the other device, and some from one that nobody has seen.
    const lines = table(visits(3, 40)).split('\n');
    const other = most === 'phone' ? 'desktop' : 'phone';
    const later = lines.map((line, i) =>
      line.replace(new RegExp(`\t${most}\t`), i % 9 === 0 ? '\tfridge\t' : `\t${other}\t`),
    );
    const log = await file('later.tsv', later.join('\n'));
    expect((await train(log, 'fresh', ...set('features=device'), '--epochs', '1')).code).toBe(0);
    expect(values('fresh')[0]).toBe(other);
    const { code, stderr } = await train(log, 'second', '--from', at('first'), '--epochs', '1');
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(values('second')).toEqual(values('first'));
  });
});

test('aisle search reads the catalogue in every trial, and says how to train with it', async () => {
  const argv = ['--data', data, '--model', 'transformers4rec', '--out', at('found'), '--catalogue', items];
  const { code, stdout, stderr } = await aisle(
    ...['search', ...argv, ...SMALL, ...set('features=colour,price:soft'), '--trials', '2', '--epochs', '1'],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('no result') });
  const line = stdout.trimEnd().split('\n').at(-1)!.trim();
  expect(line).toContain(`--catalogue ${items}`);
  const words = line
    .split(' ')
    .slice(1)
    .map((word) => (word === 'my-model' ? at('model') : word));
  const trained = await aisle(...words, '--valid', 'last:10%', '--json');
  expect(trained.code).toBe(0);
  expect(JSON.parse(trained.stdout).best.value).toBe(json('found', 'search.json').best.value);
});

test('aisle search without the catalogue that its model reads says what is missing in each trial', async () => {
  const argv = ['--data', data, '--model', 'transformers4rec', '--out', at('found'), ...SMALL];
  const { code, stderr } = await aisle('search', ...argv, ...set('features=colour'), '--trials', '1', '--epochs', '1');
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Give --catalogue a file') });
});
