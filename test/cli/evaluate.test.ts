import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { models } from '../../src/models/index';
import { baselines } from '../../src/neighbours/index';
import { writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { IDS, plannedModel, smallModel } from '../engine/fixture';
import { SMALL } from '../engine/parity';
import { aisle } from './program';

let root: string;
let log: string;
const at = (name: string): string => join(root, name);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'aisle-evaluate-'));
  for (const architecture of Object.keys(baselines)) {
    await writeArtifactFolder(at(architecture), await smallModel({ architecture, config: {} }));
  }
  for (const architecture of Object.keys(models)) {
    await writeArtifactFolder(at(architecture), await plannedModel({ architecture, config: SMALL[architecture]! }));
  }
  log = at('log.tsv');
  const sessions: Record<string, string[]> = {
    s1: ['item-9', 'item-10', 'item-9'],
    s2: ['item-11', 'new to the shop', 'item-12'],
    s3: ['item-13', 'also new'],
    s4: ['item-14'],
    s5: ['a,b', '🧦', '__proto__', 'constructor', 'item-60'],
  };
  const lines = Object.entries(sessions).flatMap(([session, items], s) =>
    items.map((item, t) => `${session}\t${item}\t${1_700_000_000 + 1000 * s + t}`),
  );
  writeFileSync(log, `session_id\titem_id\ttimestamp\n${lines.join('\n')}\n`);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const evaluate = (...argv: string[]) => aisle('evaluate', ...argv);

describe('aisle evaluate', () => {
  test('prints one JSON object in the form of the contract, and says what it left out', async () => {
    const { code, stdout } = await evaluate('--artifact', at('gru4rec'), '--data', log, '--k', '5,20', '--json');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const metrics = Object.fromEntries(
      [5, 20].flatMap((k) => [`recall@${k}`, `mrr@${k}`, `ndcg@${k}`]).map((m) => [m, expect.any(Number)]),
    );
    expect(JSON.parse(stdout)).toEqual({
      artifact: at('gru4rec'),
      protocol: 'events',
      n: 7,
      sessions: 3,
      dropped: { events: 2, sessions: 2 },
      ties: 'conservative',
      metrics: { conservative: metrics, standard: metrics },
      'coverage@20': expect.any(Number),
      'popularity@20': expect.any(Number),
      seconds: expect.any(Number),
    });
  });

  test.each([...Object.keys(models), ...Object.keys(baselines)])(
    'ranks with %s as aisle recommend does',
    async (name) => {
      const ranks = at(`${name}.tsv`);
      expect((await evaluate('--artifact', at(name), '--data', log, '--ranks', ranks)).code).toBe(0);
      const [header, ...lines] = readFileSync(ranks, 'utf8').trimEnd().split('\n');
      expect(header).toBe('session_id\tposition\titem_id\trank');
      expect(lines.map((line) => line.split('\t').slice(0, 3).join(' '))).toEqual([
        's1 0 item-10',
        's1 1 item-9',
        's2 0 item-12',
        's5 0 🧦',
        's5 1 __proto__',
        's5 2 constructor',
        's5 3 item-60',
      ]);
      const clicks = ['a,b', '🧦', '__proto__', 'constructor'].flatMap((id) => ['--item', id]);
      const argv = ['--artifact', at(name), ...clicks, '--k', String(IDS.length), '--json'];
      const items: { itemId: string; score: number }[] = JSON.parse((await aisle('recommend', ...argv)).stdout).items;
      const target = items.find(({ itemId }) => itemId === 'item-60')!;
      expect(Number(lines.at(-1)!.split('\t')[3])).toBe(items.filter(({ score }) => score >= target.score).length);
    },
  );

  test.each(Object.keys(models))('ranks by the plan of %s as by WASM, mixed with a baseline, too', async (name) => {
    for (const mix of [[], ['--mix', `${at('sknn')}:0.3`]]) {
      const [plan, wasm] = await Promise.all(
        ['plan', 'wasm'].map(async (backend) => {
          const argv = ['--artifact', at(name), '--data', log, ...mix, '--json', '--backend', backend];
          const { code, stdout } = await evaluate(...argv);
          expect(code).toBe(0);
          return JSON.parse(stdout);
        }),
      );
      expect({ ...plan, seconds: 0 }).toEqual({ ...wasm, seconds: 0 });
    }
  });

  test('by plans, refuses a network that has none', async () => {
    await writeArtifactFolder(at('no plan'), await smallModel());
    const { code, stdout, stderr } = await evaluate('--artifact', at('no plan'), '--data', log, '--backend', 'plan');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/"small gru4rec" has no compiled plan\. Train it again .* "auto"\./);
    for (const backend of ['plan', 'webgpu']) {
      const counted = await evaluate('--artifact', at('markov'), '--data', log, '--backend', backend);
      expect(counted.code).toBe(0);
      expect(counted.stderr).toContain('Warning: small markov only counts, whatever --backend says.');
    }
  });

  test.each([
    ['gru4rec', 'plan', 1], // it may be the plan alone
    ['gru4rec', 'wasm', 2],
    ['markov', 'cpu', 2],
  ])('refuses an artifact of %s that does not give its golden answer on %s', async (architecture, backend, status) => {
    const config = SMALL[architecture] ?? {};
    const model = await plannedModel({ architecture, config });
    const { session, top } = model.info.golden;
    const golden = { session, top: top.map(({ index, score }) => ({ index, score: score + 1 })) };
    const folder = at(`wrong ${architecture}`);
    await writeArtifactFolder(folder, { ...model, info: { ...model.info, golden } });
    const { code, stdout, stderr } = await evaluate('--artifact', folder, '--data', log, '--backend', backend);
    expect({ code, stdout }).toEqual({ code: status, stdout: '' });
    expect(stderr).toMatch(new RegExp(`does not give its own golden answer on "${backend}": .*Export the model again`));
  });

  test('prints a table for people, with both ways to count ties, and warns where they differ', async () => {
    const { stdout, stderr } = await evaluate('--artifact', at('markov'), '--data', log);
    expect(stdout).toMatch(/7 predictions in 3 sessions/);
    expect(stdout).toMatch(/2 events of unknown items, 2 sessions too short/);
    expect(stdout).toMatch(/conservative\s+standard/);
    expect(stdout).toMatch(/recall@1\s+0\.0000\s+1\.0000/);
    expect(stderr).toMatch(/Warning: Many scores are equal/);
  });

  test('predicts one event a session under the other protocols', async () => {
    const counts = async (...argv: string[]) => {
      const { stdout } = await evaluate('--artifact', at('pop'), '--data', log, '--json', ...argv);
      const { n, dropped } = JSON.parse(stdout);
      return { n, short: dropped.sessions };
    };
    expect(await counts('--protocol', 'last-item')).toEqual({ n: 3, short: 2 });
    expect(await counts('--protocol', 'leave-one-out', '--target', 'valid')).toEqual({ n: 2, short: 3 });
  });

  test('leaves nothing behind where the ranks cannot be written', async () => {
    const before = readdirSync(root);
    const { code, stdout, stderr } = await evaluate(
      '--artifact',
      at('pop'),
      '--data',
      log,
      '--ranks',
      at('no/such/folder.tsv'),
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('there is no such folder');
    expect(readdirSync(root)).toEqual(before);
    expect(existsSync(at('no'))).toBe(false);
  });

  test('never writes ranks over the log, nor over any other file', async () => {
    const before = readFileSync(log);
    const { code, stderr } = await evaluate('--artifact', at('pop'), '--data', log, '--ranks', log);
    expect(code).toBe(2);
    expect(stderr).toContain(`${log}: it holds something else than ranks, and is left alone; name another file.`);
    expect(readFileSync(log)).toEqual(before);
    const inside = at('pop/ranks.tsv');
    expect(await evaluate('--artifact', at('pop'), '--data', log, '--ranks', inside)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${inside} is inside of the model ${at('pop')}; name a file elsewhere.`),
    });
    const ranks = at('twice.tsv');
    for (const _ of [1, 2])
      expect((await evaluate('--artifact', at('pop'), '--data', log, '--ranks', ranks)).code).toBe(0);
  });

  test('quotes ids in the ranks that would break a line', async () => {
    const data = at('odd.csv');
    writeFileSync(data, 'session_id,item_id,timestamp\n"a\tb",item-9,1700000000\n"a\tb",item-10,1700000001\n');
    const ranks = at('odd.tsv');
    await evaluate('--artifact', at('pop'), '--data', data, '--ranks', ranks);
    expect(readFileSync(ranks, 'utf8')).toMatch(/^"session_id"\t.*\n"a\tb"\t0\titem-10\t\d+\n$/);
  });
});

describe('a mistake is reported in a sentence, with exit code 2', () => {
  const rows: [string, string[], RegExp][] = [
    ['a folder that is no artifact', ['--artifact', tmpdir()], /manifest\.json/],
    ['a missing file', ['--data', 'no-such-file.tsv'], /no-such-file\.tsv: no such file/],
    ['a validation target among all events', ['--target', 'valid'], /belongs to the protocols/],
    ['an unknown protocol', ['--protocol', 'all'], /Expected events or last-item/],
    ['ranks in place of a folder', ['--ranks', tmpdir()], /this is a folder/],
    ['ranks below a file', ['--ranks', join(import.meta.filename, 'ranks.tsv')], /cannot be written to \(ENOTDIR\)/],
    ['a cut-off of 0', ['--k', '0'], /whole numbers of 1 or more/],
    ['a cut-off that is no number', ['--k', '5,x'], /whole numbers of 1 or more/],
  ];
  test('a log of which nothing can be predicted', async () => {
    const data = at('unknown.csv');
    writeFileSync(data, 'session_id,item_id,timestamp\na,unheard,1\na,of,2\n');
    const evaluateIt = (...argv: string[]) => evaluate('--artifact', at('pop'), '--data', data, '--json', ...argv);
    expect(await evaluateIt()).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(
        `aisle: ${data}: no session holds two items of ${at('pop')}, expected at least one.\n`,
      ),
    });
    writeFileSync(data, 'session_id,item_id,timestamp\na,item-9,1\na,item-10,2\n');
    expect((await evaluateIt()).code).toBe(0);
    const short = await evaluateIt('--protocol', 'leave-one-out', '--target', 'valid');
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('no session holds three items of') });
  });

  test.skipIf(process.platform === 'win32')('ranks in place of a pipe, which stays', async () => {
    const pipe = at('pipe');
    execFileSync('mkfifo', [pipe]);
    const { code, stderr } = await evaluate('--artifact', at('pop'), '--data', log, '--ranks', pipe);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('this is a pipe or a device') });
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  test.each(rows)('%s', async (_, argv, message) => {
    const { code, stdout, stderr } = await evaluate('--artifact', at('pop'), '--data', log, ...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
