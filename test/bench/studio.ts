/**
 * A log that becomes a model in the built studio, beside the same by the built command line:
 *
 *     node test/run.mjs test/bench/studio.ts LOG [--model gru4rec] [--threads 1] [--epochs N]
 *
 * LOG: a file. Both read it, count, train by the preset `auto`, and make an artifact; "seconds" are all of that, by the clock. Results go to
 * `results/studio.{json,md}`, where rows of other settings stay as they are.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from '../../src/pipeline/format';
import { readZip } from '../../src/pipeline/zip';
import { built } from '../build/built';
import { contentOf, launchChromium } from '../chromium';
import { startProgram } from '../cli/start-program';
import { serveShop } from '../demo/shop-window';
import { closeServer, originOf } from '../server';
import { commit, machine } from './machine';
import { readResult, writeResult } from './results';

interface Row {
  readonly log: string;
  readonly bytes: number;
  readonly model: string;
  readonly threads: number;
  /** Passes over the log; null where held-out sessions chose. */
  readonly epochs: number | null;
  /** Of the page: until the log is read and counted, and with the training. */
  readonly page: { readonly read: number; readonly all: number; readonly peakBytes: number };
  readonly commandLine: number;
  readonly isEqual: boolean;
  readonly machine: string;
  readonly commit: string;
}

interface Settings {
  readonly file: string;
  readonly model: string;
  readonly threads: number;
  readonly epochs: number | null;
}

export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      model: { type: 'string', default: 'gru4rec' },
      threads: { type: 'string', default: '1' },
      epochs: { type: 'string' },
    },
  });
  const file = resolve(positionals[0]!);
  const epochs = values.epochs === undefined ? null : Number(values.epochs);
  const settings = { file, model: values.model, threads: Number(values.threads), epochs };
  const theirs = await byCommandLine(settings);
  console.log(`command line: ${theirs.seconds.toFixed(0)} s`);
  const { weights, ...page } = await inPage(settings);
  console.log(`page: ${page.all.toFixed(0)} s, of which ${page.read.toFixed(0)} s until it had counted`);
  keep({
    log: basename(dirname(file)),
    bytes: statSync(file).size,
    model: settings.model,
    threads: settings.threads,
    epochs,
    page,
    commandLine: theirs.seconds,
    isEqual: theirs.weights.equals(weights),
    machine: machine(),
    commit: commit(),
  });
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

async function byCommandLine({ file, model, threads, epochs }: Settings) {
  const out = await mkdtemp(join(tmpdir(), 'aisle-studio-bench-'));
  const more = [...(threads > 1 ? ['--threads', `${threads}`] : []), ...(epochs ? ['--epochs', `${epochs}`] : [])];
  const start = performance.now();
  const { code, written } = startProgram(join(built('cli'), 'aisle.js'), [
    ...['train', '--data', file, '--model', model, '--preset', 'auto', '--out', join(out, 'model'), ...more],
  ]);
  if ((await code) !== 0) throw new Error(written.stderr);
  const seconds = secondsSince(start);
  const weights = await readFile(join(out, 'model', 'weights.safetensors'));
  await rm(out, { recursive: true, force: true });
  return { seconds, weights };
}

async function inPage({ file, model, threads, epochs }: Settings) {
  const server = await serveShop();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${originOf(server)}/studio/`);
    await page.setInputFiles('#log-files', file);
    const start = performance.now();
    await page.getByRole('button', { name: 'Read the log' }).click();
    await page.getByRole('row', { name: /the best that counts/ }).waitFor();
    const read = secondsSince(start);
    for (const box of await page.locator('#train input[type=checkbox]').all()) await box.setChecked(false);
    await page.getByLabel(model, { exact: true }).check();
    await page.locator('#train summary').click();
    await page.getByLabel('Computed by').selectOption('wasm');
    await page.getByLabel('Threads').selectOption(`${threads}`);
    if (epochs) await page.getByLabel('Passes over the log').fill(`${epochs}`);
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.getByText(/^Trained in/).waitFor();
    const all = secondsSince(start);
    const peakBytes = Math.max(...renderers().map(peakOf));
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: /^Download \w+\.zip/ }).click();
    const zip = new Blob([new Uint8Array(await contentOf(await downloading))]);
    const weights = (await readZip(zip, 'model.zip')).get('weights.safetensors')!;
    return { read, all, peakBytes, weights };
  } finally {
    await browser.close();
    closeServer(server);
  }
}

/** The processes of this program's Chromium that run pages. */
const renderers = (): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) return false;
      for (let at = pid; at !== '0'; at = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${at}/status`, 'utf8'))![1]!)
        if (at === `${process.pid}`) return true;
      return false;
    } catch {
      return false; // no process, or one that has ended
    }
  });

/** Most that a process ever held, in bytes. */
function peakOf(pid: string): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

const keyOf = ({ log, model, threads, epochs }: Row): string => [log, model, threads, epochs].join(' ');

function keep(row: Row): void {
  const before = readResult<Row[]>('studio', []);
  const rows = [...before.filter((old) => keyOf(old) !== keyOf(row)), row].sort((a, b) =>
    keyOf(a).localeCompare(keyOf(b)),
  );
  writeResult('studio', rows, markdown(rows));
  console.log(markdown(rows));
}

function markdown(rows: readonly Row[]): string {
  const titles = [
    'log',
    'MB',
    'model',
    'epochs',
    'threads',
    'page, s',
    'until counted, s',
    'most memory, MB',
    'command line, s',
    'page to command line',
    'weights',
    'commit',
  ];
  const cells = rows.map(({ log, bytes, model, epochs, threads, page, commandLine, isEqual, commit }) => [
    ...[
      log,
      (bytes / 1e6).toFixed(1),
      model,
      `${epochs ?? 'auto'}`,
      `${threads}`,
      page.all.toFixed(0),
      page.read.toFixed(0),
    ],
    ...[(page.peakBytes / 1e6).toFixed(0), commandLine.toFixed(0), (page.all / commandLine).toFixed(2)],
    ...[isEqual ? 'equal' : 'differ', commit],
  ]);
  return `# Trainings in the studio

    node test/run.mjs test/bench/studio.ts LOG --model … --threads … --epochs …

A log is read, counted and learnt by the preset \`auto\` in the built studio in Chromium, and by the built command line just before. Seconds of
all of it, by the clock. "Until counted": the log is read, shown, and the counting models are measured. "Most memory" is the most that the page's process ever
held. Machine: ${rows.at(-1)?.machine}.

${markdownTable(titles, cells).join('\n')}
`;
}
