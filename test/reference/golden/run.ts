/** Golden files of a folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GoldenRow, runFile } from './run-file';

/** Golden files of a folder, by name. */
export function goldenFiles(folder: string, only = ''): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(safetensors|json)$/.test(name) && name.startsWith(only))
    .sort();
}

/** Runs one in this process. A backend must be running, with training registered. */
export const runGolden = (folder: string, name: string, gpu = false): Promise<GoldenRow> =>
  runFile(name, readFileSync(join(folder, name)), gpu);
