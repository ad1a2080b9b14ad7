/**
 * What a newcomer types: a clone of the checkout, `npm ci`, and every line of a shell of the README and of both quick starts, as it stands:
 *
 *     node test/run.mjs test/docs/fresh-clone.ts
 *
 * A server is asked once, and stopped. Fails at the first line that does; where all are done, what they took goes to
 * `results/fresh-clone.md`. Needs the npm registry, and half an hour or more.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duration, markdownTable } from '../../src/pipeline/format';
import { commit, machine } from '../bench/machine';
import { RESULTS } from '../bench/results';
import { plainEnv } from '../build/built';
import { ROOT, shellLinesOf, textOf } from './manual';

const PAGES = ['README.md', 'docs/quick-start.md', 'docs/researchers.md'];
/** What listens until it is stopped. */
const SERVER = /\b(npm start|aisle demo)\b/;
/** Milliseconds within which it prints its address; `npm start` builds before. */
const PATIENCE = 600_000;

interface Typed {
  readonly line: string;
  readonly exit: string;
  readonly seconds: number;
}

export async function main(): Promise<void> {
  if (execFileSync('git', ['status', '--porcelain'], { cwd: ROOT, encoding: 'utf8' }) !== '')
    throw new Error('The checkout has changes that are not committed, which a clone would lack. Commit them first.');
  const code = commit();
  const clone = mkdtempSync(join(tmpdir(), 'aisle-clone-'));
  try {
    execFileSync('git', ['clone', '--quiet', ROOT, clone]);
    const installed = await type('npm ci', clone);
    const pages = new Map<string, Typed[]>();
    for (const page of PAGES) {
      pages.set(page, []);
      for (const line of shellLinesOf(page)) pages.get(page)!.push(await type(line, clone));
    }
    writeFileSync(join(RESULTS, 'fresh-clone.md'), report(code, installed, pages));
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}

/** Runs a line of a shell. @throws Error if it fails. */
async function type(line: string, cwd: string): Promise<Typed> {
  console.log(`$ ${line}`);
  const started = performance.now();
  const typed = (exit: string): Typed => ({ line, exit, seconds: (performance.now() - started) / 1000 });
  const isServer = SERVER.test(line);
  const shell = spawn(line, {
    cwd,
    shell: true,
    env: plainEnv(),
    detached: isServer, // in a group of its own, which ends as one
    stdio: ['ignore', isServer ? 'pipe' : 'inherit', 'inherit'],
  });
  const ended = once(shell, 'close').then(([code]) => code as number | null);
  const failed = (code: number | null) => new Error(`"${line}" ended with exit code ${code}.`);
  if (!isServer) {
    const code = await ended;
    if (code === 0) return typed('0');
    throw failed(code);
  }
  let printed = '';
  const address = new Promise<string>((found, fail) => {
    shell.stdout!.on('data', (text) => {
      process.stdout.write(text);
      printed += text;
      const [url] = /http:\/\/localhost:\d+\//.exec(printed) ?? [];
      if (url) found(url);
    });
    ended.then((code) => fail(failed(code)));
    setTimeout(() => fail(new Error(`"${line}" printed no address.`)), PATIENCE).unref();
  });
  try {
    const url = await address;
    const { ok, status } = await fetch(url);
    if (!ok) throw new Error(`"${line}" answered ${status}.`);
    return typed(`answered ${status}, and was stopped`);
  } finally {
    if (shell.exitCode === null) process.kill(-shell.pid!, 'SIGINT');
    const killed = setTimeout(() => process.kill(-shell.pid!, 'SIGKILL'), 10_000);
    await ended;
    clearTimeout(killed);
  }
}

function report(code: string, installed: Typed, pages: ReadonlyMap<string, readonly Typed[]>): string {
  const total = (lines: readonly Typed[]) => duration(lines.reduce((sum, { seconds }) => sum + seconds, 0));
  const isInstallation = ({ line }: Typed) => line.startsWith('npm ci');
  const totals = [...pages].map(([page, lines]) => [
    page,
    /^# (.*)/.exec(textOf(page))![1]!,
    total(lines.filter((typed) => !isInstallation(typed))),
    total(lines.filter(isInstallation)),
  ]);
  const cells = (page: string, lines: readonly Typed[]) =>
    lines.map(({ line, exit, seconds }) => [page, `\`${line.replace(/\s+/g, ' ')}\``, exit, seconds.toFixed(1)]);
  const all = [...cells('', [installed]), ...[...pages].flatMap(([page, lines]) => cells(page, lines))];
  return `# A fresh clone

    node test/run.mjs test/docs/fresh-clone.ts

Every line of a shell of the README, of the shop's and of the researcher's quick start, typed in this order in a clone of ${code}, after
\`npm ci\`; npm's cache may have been warm. A server is asked once. ${machine()}. The README has ${textOf('README.md').trim().split(/\s+/).length} words.

${markdownTable(['page', 'its title', 'time', 'besides, its lines `npm ci && …`'], totals).join('\n')}

${markdownTable(['page', 'line', 'exit code', 'seconds'], all).join('\n')}
`;
}
