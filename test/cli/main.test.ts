import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { expect, describe as group, test } from 'vitest';
import { version } from '../../package.json';
import { describe, exitCode, traceOf, UsageError, withFlags } from '../../src/cli/errors';
import { RecommenderError } from '../../src/errors';
import { aisle } from './program';

const commands = readdirSync(fileURLToPath(new URL('../../src/cli/commands/', import.meta.url))).map((name) =>
  name.replace(/\.ts$/, ''),
);

const modules = import.meta.glob<{ register: (program: Command) => void }>('../../src/cli/commands/*.ts', {
  eager: true,
});
/** What makes the sentences of the command line. */
const sources = import.meta.glob<string>('../../src/{cli,pipeline,ranking,session,train}/**/*.ts', {
  query: '?raw',
  import: 'default',
  eager: true,
});

test.each(commands)('aisle %s --help ends with an example', async (command) => {
  const { code, stdout, stderr } = await aisle(command, '--help');
  expect(code).toBe(0);
  expect(stderr).toBe('');
  expect(stdout).toContain(`Usage: aisle ${command}`);
  expect(stdout.trimEnd().split('\n').slice(-8).join('\n')).toMatch(/Examples?:\n( {2}\$ aisle [^\n]*\n?)+/);
});

test('the program alone lists every command and says how to start', async () => {
  const { code, stdout } = await aisle();
  expect(code).toBe(0);
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  expect(stdout).toContain('$ aisle train');
});

test('it tells its version', async () => {
  expect(await aisle('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('a misspelt command is wrong use, and the nearest one is named', async () => {
  const { code, stdout, stderr } = await aisle('inspekt', 'x');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain("aisle: unknown command 'inspekt'\n(Did you mean inspect?)");
});

group('an error', () => {
  const system = Object.assign(new Error('write'), { code: 'ENOSPC', path: '/out/weights' });
  test.each([
    [new RecommenderError('bad-input', 'The file is bad.'), 2, 'aisle: The file is bad.'],
    [new RecommenderError('bad-config', 'The key is bad.'), 2, 'aisle: The key is bad.'],
    [new RecommenderError('bad-artifact', 'The artifact is bad.'), 2, 'aisle: The artifact is bad.'],
    [new RecommenderError('weights-mismatch', 'The weights are bad.'), 2, 'aisle: The weights are bad.'],
    [new UsageError('Pass one of them.'), 2, 'aisle: Pass one of them.'],
    [new CommanderError(1, 'commander.unknownOption', 'printed already'), 2, ''],
    [new CommanderError(0, 'commander.help', 'help'), 0, ''],
    [new RecommenderError('diverged', 'The loss is bad.'), 1, 'aisle: The loss is bad. (--verbose shows where)'],
    [new RecommenderError('aborted', 'Interrupted.'), 130, 'aisle: Interrupted.'],
    [system, 1, 'aisle: /out/weights: the disk is full (ENOSPC). (--verbose shows where)'],
    [new TypeError('x is not a function'), 1, 'aisle: x is not a function (--verbose shows where)'],
    [new RangeError('Invalid array length'), 1, 'aisle: Invalid array length (--verbose shows where)'],
    [new Error(), 1, 'aisle: Error (--verbose shows where)'],
    ['text', 1, 'aisle: text (--verbose shows where)'],
    [undefined, 1, 'aisle: undefined (--verbose shows where)'],
  ])('%s has its exit code and one sentence', (error, code, text) => {
    expect(exitCode(error)).toBe(code);
    expect(describe(error, false)).toBe(text);
  });

  test('names options as flags, and leaves what it quotes as it is', () => {
    const error = new RecommenderError('bad-input', '`sessionsBy` does not go with "`data` \\"", `ranges` does.');
    expect(describe(error, false)).toBe('aisle: --sessions-by does not go with "`data` \\"", --range does.');
  });

  test('has backticks around nothing but what is a flag of some command', () => {
    const program = new Command();
    for (const { register } of Object.values(modules)) register(program);
    const flags = new Set(program.commands.flatMap(({ options }) => options.map(({ long }) => long)));
    const named = Object.entries(sources).flatMap(([file, source]) => {
      const code = source.replaceAll(/^ *(\/?\*|\/\/).*$/gm, ''); // without comments
      const words = code.matchAll(/(?<=\\|'[^'\n]*)`([a-zA-Z]+)\\?`/g);
      return [...words].map(([, word]) => [file, withFlags(`\`${word}\``)]);
    });
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(([, flag]) => !flags.has(flag))).toEqual([]);
  });

  test('shows stack and cause to those who ask', () => {
    const error = new RecommenderError('io', 'No.', { cause: new Error('the disk') });
    expect(describe(error, true)).toBe('aisle: No.');
    expect(traceOf(error)).toMatch(/^RecommenderError: No\.\n\s+at .*caused by: Error: the disk\n\s+at /s);
  });
});
