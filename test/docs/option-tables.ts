/** The tables of options in `docs/models`, written from the code: `npm run docs` writes them, a test compares. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defaultOf, describe } from '../../src/models/configuration';
import { allModels } from '../../src/models/index';
import type { OptionSpec } from '../../src/models/model';
import { baselines } from '../../src/neighbours/index';

const FOLDER = resolve(import.meta.dirname, '../../docs/models');
const MARKED = /<!-- options (\S+) -->\n.*?<!-- \/options -->/gs;

/** Every page with the tables that it should have, by file name. */
export async function pages(): Promise<Map<string, { readonly is: string; readonly shouldBe: string }>> {
  const subjects = { ...(await allModels()), ...baselines };
  const found = new Map<string, { is: string; shouldBe: string }>();
  for (const name of readdirSync(FOLDER)) {
    const is = readFileSync(join(FOLDER, name), 'utf8');
    const shouldBe = is.replace(MARKED, (_, model: string) => {
      const subject = subjects[model];
      if (!subject) throw new Error(`${name} has a table for "${model}", which is no model.`);
      return `<!-- options ${model} -->\n${table(subject.options)}\n<!-- /options -->`;
    });
    found.set(name, { is, shouldBe });
  }
  return found;
}

/** Names of the models that a page has a table for. */
export async function documented(): Promise<string[]> {
  return [...(await pages()).values()].flatMap(({ is }) => [...is.matchAll(MARKED)].map(([, model]) => model!));
}

function table(options: Readonly<Record<string, OptionSpec>>): string {
  const rows = Object.entries(options).map(([key, option]) => {
    return [`\`${key}\``, describe(option), `\`${defaultOf(option)}\``, option.doc, option.source];
  });
  const header = ['option', 'values', 'default', 'meaning', 'source'];
  return [header, header.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

export async function main(): Promise<void> {
  for (const [name, { is, shouldBe }] of await pages()) {
    if (is === shouldBe) continue;
    writeFileSync(join(FOLDER, name), shouldBe);
    console.log(`docs/models/${name} has its tables anew.`);
  }
}
