/**
 * Plants small errors at random in a copy of the sources that nobody has planted errors in by hand, one by one: an operator, a bound, a
 * condition, a call that is left out. The tests of the same folder run until the first of them fails.
 *
 *     node test/run.mjs test/reference/random-mutants.ts [COUNT [PART OF A PATH…]]
 *
 * Writes test/bench/results/random-mutants.{json,md}: the share that is seen, and each error that survives. COUNT default 150.
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { random } from '../../src/session/random';
import { commit } from '../bench/machine';
import { firstFailure } from './first-failure';
import { COPIED } from './mutants';

const ROOT = resolve(import.meta.dirname, '../..');
const RESULTS = join(ROOT, 'test/bench/results');
const SEED = 28;
/** Folders of `src`, and where their tests are. */
const TESTS: Readonly<Record<string, RegExp>> = {
  session: /^test\/session\/|^test\/recommender\/fresh-events/,
  store: /^test\/store\//,
  checkpoint: /^test\/checkpoint\/|^test\/engine\/artifact-loader/,
  ranking: /^test\/(ranking|models)\/|^test\/engine\/(plan|local-engine)\./,
  recommender: /^test\/recommender[/.-]|^test\/store\//,
};

export interface Planted {
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  /** Where it is in the file, and what stands there instead. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
}
type Result = Omit<Planted, 'from' | 'to'> & { readonly result: 'seen' | 'survived'; readonly by?: string };

const SWAPS: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
  [ts.SyntaxKind.LessThanToken]: '<=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '>=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
  [ts.SyntaxKind.AsteriskToken]: '/',
  [ts.SyntaxKind.SlashToken]: '*',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
};

/** Every error that can be planted in a source. */
export function plantable(file: string, code: string): Planted[] {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true);
  const found: Planted[] = [];
  const plant = (kind: string, node: ts.Node, text: string) => {
    const from = node.getStart();
    const line = source.getLineAndCharacterOfPosition(from).line + 1;
    found.push({ file, line, kind, from, to: node.end, text });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return;
    if (ts.isBinaryExpression(node)) {
      const other = SWAPS[node.operatorToken.kind];
      const isText = [node.left, node.right].some(
        (side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side),
      );
      if (other && !isText) plant('operator', node.operatorToken, other);
    } else if (ts.isIfStatement(node)) {
      plant('condition', node.expression, `!(${node.expression.getText()})`);
    } else if (ts.isConditionalExpression(node)) {
      plant('branches', node, `${node.condition.getText()} ? ${node.whenFalse.getText()} : ${node.whenTrue.getText()}`);
    } else if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
      plant('call left out', node, ';');
    } else if (ts.isNumericLiteral(node) && ts.isBinaryExpression(node.parent)) {
      plant('number', node, String(Number(node.text) + 1));
    } else if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
      plant('truth', node, String(node.kind === ts.SyntaxKind.FalseKeyword));
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

const filesIn = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((name) => pattern.test(name))
    .sort();

export async function main([count = '150', ...parts]: string[]): Promise<void> {
  const folders = Object.keys(TESTS).join('|');
  const sources = filesIn('src', new RegExp(`^src/(${folders})(/.*)?\\.ts$`));
  const chosen = sources.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  const all = chosen.flatMap((file) => plantable(file, readFileSync(join(ROOT, file), 'utf8')));
  const order = random(SEED).shuffle(Int32Array.from(all.keys()));
  const planted = Array.from(order.subarray(0, Number(count)), (at) => all[at]!);
  const tests = filesIn('test', /(?<!built)\.test\.ts$/);
  const copy = join(mkdtempSync(join(tmpdir(), 'aisle-random-mutants-')), 'aisle');
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const results: Result[] = [];
    const began = performance.now();
    const sound = new Set<string>();
    for (const { from, to, ...error } of planted) {
      const { file, line, kind, text } = error;
      const pattern = TESTS[/^src\/(\w+)/.exec(file)![1]!]!;
      const files = tests.filter((name) => pattern.test(name));
      if (!sound.has(String(pattern))) {
        // Once more, where the machine was too busy for a deadline.
        const failed = (await firstFailure(copy, files)) && (await firstFailure(copy, files));
        if (failed !== undefined) throw new Error(`The sources do not pass before any error: ${failed}`);
        sound.add(String(pattern));
      }
      const path = join(copy, file);
      const code = readFileSync(path, 'utf8');
      writeFileSync(path, code.slice(0, from) + text + code.slice(to));
      // Its own tests first.
      const own = file.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts');
      const by =
        (existsSync(join(copy, own)) && (await firstFailure(copy, [own]))) || (await firstFailure(copy, files));
      writeFileSync(path, code);
      results.push({ ...error, ...(by === undefined ? { result: 'survived' } : { result: 'seen', by }) });
      console.log(`${results.length}/${planted.length} ${file}:${line} ${kind} ${text}: ${by ?? 'SURVIVED'}`);
    }
    const seconds = Math.round((performance.now() - began) / 1000);
    write({ commit: commit(), seed: SEED, places: all.length, seconds, results });
  } finally {
    rmSync(join(copy, '..'), { recursive: true, force: true });
  }
}

function write(report: {
  commit: string;
  seed: number;
  places: number;
  seconds: number;
  results: readonly Result[];
}): void {
  const { results, places, seconds } = report;
  const survived = results.filter(({ result }) => result === 'survived');
  const seen = results.length - survived.length;
  const rows = survived.map(({ file, line, kind, text }) => {
    const cell = text.replaceAll('|', '\\|').replace(/\s+/g, ' ').slice(0, 100);
    return `| ${file}:${line} | ${kind} | \`${cell}\` |`;
  });
  const page = `# Errors planted at random

Written by \`npm run soak -- random-mutants\` at commit ${report.commit}: ${results.length} of the ${places} places of \`src/{${Object.keys(TESTS).join(',')}}\` where
an operator, a bound, a condition, a branch or a call can be changed, chosen by the seed ${report.seed}; ${seconds} s. With each, the tests of the same folder
run until one fails. An error that survives may change nothing that can be seen.

${seen} of ${results.length} are seen (${((100 * seen) / Math.max(1, results.length)).toFixed(0)} %), ${survived.length} survive.

| place | what | instead |
| --- | --- | --- |
${rows.join('\n')}
`;
  writeFileSync(join(RESULTS, 'random-mutants.json'), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(RESULTS, 'random-mutants.md'), page);
}
