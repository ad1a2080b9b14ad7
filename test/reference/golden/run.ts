/** Golden files of a folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planGolden } from './plan';
import { type GoldenRow, readGolden, runFile } from './run-file';

/** Golden files of a folder, by name. */
export function goldenFiles(folder: string, only = ''): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(safetensors|json)$/.test(name) && name.startsWith(only))
    .sort();
}

/** Runs one in this process. A backend must be running, with training registered. */
export const runGolden = (folder: string, name: string, gpu = false): Promise<GoldenRow> =>
  runFile(name, readFileSync(join(folder, name)), gpu);

/** What a compiled plan recommends; undefined for a file that recommends nothing. A backend must be running. */
export async function runPlan(folder: string, name: string): Promise<GoldenRow | undefined> {
  if (!name.endsWith('.safetensors')) return undefined;
  let state: GoldenRow['state'] = 'unknown';
  try {
    const file = readGolden(name, readFileSync(join(folder, name)));
    state = 'miss';
    const comparison = await planGolden(file);
    return comparison && { file: name, ...comparison };
  } catch (error) {
    return { file: name, state, compared: 0, total: 0, reason: (error as Error).message };
  }
}
