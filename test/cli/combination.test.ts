import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { aisle, file } from './program';
import { RING_LOG, ringFolder, SMALL } from './ring-log';

let data: string;
let place: string;
beforeEach(async () => {
  ({ data, place } = await ringFolder());
});
const at = (name: string) => join(place, name);

async function train(name: string, model: string, ...more: string[]): Promise<string> {
  const argv = ['--data', data, '--model', model, '--out', at(name), ...SMALL[model]!, ...more];
  expect((await aisle('train', ...argv)).code).toBe(0);
  return at(name);
}
const evaluate = (...argv: string[]) => aisle('evaluate', '--data', data, ...argv);
const result = async (...argv: string[]) => {
  const { code, stdout, stderr } = await evaluate(...argv, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

describe('aisle evaluate of several artifacts', () => {
  test('is a row of its own: what the mean of their probabilities reaches, and says so', async () => {
    const [a, b] = [await train('a', 'gru4rec', '--seed', '1'), await train('b', 'gru4rec', '--seed', '2')];
    const ensemble = await result('--artifact', a, '--artifact', b, '--ranks', at('ranks.tsv'));
    expect(ensemble).toMatchObject({ artifact: a, combined: { by: 'probabilities', artifacts: [a, b] } });
    const one = await result('--artifact', a);
    expect(one).not.toHaveProperty('combined');
    expect(ensemble.n).toBe(one.n);
    expect(readFileSync(at('ranks.tsv'), 'utf8').trimEnd().split('\n')).toHaveLength(one.n + 1);
    expect((await evaluate('--artifact', a, '--artifact', b)).stdout).toContain('ensemble of a, b, protocol events');
    // The mean of a model with itself is that model.
    expect((await result('--artifact', a, '--artifact', a)).metrics).toEqual(one.metrics);
    const standard = await result('--artifact', a, '--artifact', b, '--combine', 'standard');
    expect(standard.combined.by).toBe('standard');
  });

  test('mixes one with another by a weight, which one pass over a validation part shows all of', async () => {
    const [net, rules] = [await train('net', 'sasrec'), await train('rules', 'markov')];
    const { weights } = await result('--artifact', net, '--mix', `${rules}:0,0.3,1`);
    expect(weights.map(({ weight }: { weight: number }) => weight)).toEqual([0, 0.3, 1]);
    const ends = [net, rules].map(async (artifact) => (await result('--artifact', artifact)).metrics.conservative);
    expect(weights[0].metrics).toEqual(await ends[0]);
    expect(weights[2].metrics).toEqual(await ends[1]);
    const mixed = await result('--artifact', net, '--mix', `${rules}:0.3`);
    expect(mixed.metrics.conservative).toEqual(weights[1].metrics);
    expect(mixed.combined).toEqual({ by: 'probabilities', artifacts: [net], mix: { artifact: rules, weight: 0.3 } });
    const { stdout } = await evaluate('--artifact', net, '--mix', `${rules}:0.1,0.3`);
    expect(stdout).toMatch(
      /^net and rules, by weight of the second\nLeft out: .* sessions too short\n\nweight.*\n0\.1 .*\n0\.3 /,
    );
  });

  test.each([
    ['no weight', ['--mix', 'rules'], 'Expected DIR:WEIGHT'],
    ['a weight above 1', ['--mix', 'rules:1.5'], 'Expected DIR:WEIGHT'],
    ['a hole in the weights', ['--mix', 'rules:0.1,,0.2'], 'Expected DIR:WEIGHT'],
    ['ranks of several weights', ['--mix', 'rules:0.1,0.2', '--ranks', 'ranks.tsv'], '--ranks needs one weight'],
    ['the incremental protocol of several', ['--artifact', 'b', '--protocol', 'incremental'], 'retrains one artifact'],
    [
      'the incremental protocol of a mixture',
      ['--mix', 'b:0.5', '--protocol', 'incremental'],
      '--mix does not go with',
    ],
    ['another scale', ['--artifact', 'b', '--combine', 'ranks'], 'Expected probabilities or standard'],
  ])('refuses %s', async (_, argv, message) => {
    const { code, stderr } = await evaluate('--artifact', 'a', ...argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('refuses to combine one artifact alone', async () => {
    const { code, stderr } = await aisle('evaluate', '--artifact', 'a', '--data', data, '--combine', 'standard');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'aisle: --combine does not go with one artifact alone. Leave it out.\n',
    });
  });

  test('refuses artifacts of other items', async () => {
    const rules = await train('rules', 'markov');
    const other = await file('other.csv', 'session_id,item_id,timestamp\na,x,1\na,y,2\nb,y,1\nb,x,2\n');
    expect((await aisle('train', '--data', other, '--model', 'pop', '--out', at('pop'))).code).toBe(0);
    const { code, stderr } = await evaluate('--artifact', rules, '--artifact', at('pop'));
    expect(stderr).toContain('ranks other items than');
    expect(code).toBe(2);
  });

  test('divides scores by their scale, and refuses probabilities of a model that nothing tells the scale of', async () => {
    const bce = ['caser', '--set', 'loss=binary'] as const;
    const [known, unknown] = [await train('known', ...bce, '--scale', '2'), await train('unknown', ...bce)];
    const rules = await train('rules', 'markov');
    await result('--artifact', known, '--mix', `${rules}:0.3`);
    const { code, stderr } = await evaluate('--artifact', unknown, '--mix', `${rules}:0.3`);
    expect(code).toBe(2);
    expect(stderr).toContain(
      '"unknown" does not say what turns its scores into probabilities. Train it with a validation part, or import it with --data. Or use --combine standard',
    );
    await result('--artifact', unknown, '--mix', `${rules}:0.3`, '--combine', 'standard');
    await result('--artifact', unknown); // alone it needs none
  });

  test('refuses artifacts that know users differently, and lets one that knows them stand beside one that does not', async () => {
    const users = RING_LOG.replace('timestamp', 'timestamp,user_id').replace(/^(s\d+),.*$/gm, '$&,u$1');
    data = await file('users.csv', users);
    const knows = await train('knows', 'caser', '--set', 'profile=user', '--scale', '1');
    const rules = await train('rules', 'markov');
    const alone = await result('--artifact', knows);
    const { weights } = await result('--artifact', rules, '--mix', `${knows}:1,0`);
    expect(weights[0].metrics).toEqual(alone.metrics.conservative);
    data = await file('fewer.csv', users.replace(/us\d$/gm, 'other'));
    const others = await train('others', 'caser', '--set', 'profile=user');
    const { code, stderr } = await evaluate('--artifact', knows, '--artifact', others);
    expect(stderr).toContain('read clicks or users differently');
    expect(code).toBe(2);
  });
});
