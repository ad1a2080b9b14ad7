/** The tables of options in `docs/models`, written from the code. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defaultOf, describe } from '../../src/models/configuration';
import type { OptionSpec } from '../../src/models/model';
import { baselines } from '../../src/neighbours/index';
import { markdownTable } from '../../src/pipeline/format';
import { allModels } from '../models/all-models';
import { type Pages, pageNow, writePages } from './pages';

const FOLDER = resolve(import.meta.dirname, '../../docs/models');
const MARKED = /<!-- options (\S+) -->\n.*?<!-- \/options -->/gs;

/** Every page, with its tables. */
export async function optionPages(): Promise<Pages> {
  const models = await allModels();
  const subjects = { ...models, ...baselines };
  const pages = new Map<string, string>();
  for (const name of readdirSync(FOLDER)) {
    const path = join(FOLDER, name);
    const shouldBe = pageNow(path).replace(MARKED, (_, model: string) => {
      const subject = subjects[model];
      if (!subject) throw new Error(`${name} has a table for "${model}", which is no model.`);
      return `<!-- options ${model} -->\n${table(subject.options, model === 'cl4srec' ? models['sasrec']!.options : {})}\n<!-- /options -->`;
    });
    pages.set(path, shouldBe);
  }
  return pages;
}

/** Names of the models that a page has a table for. */
export async function documented(): Promise<string[]> {
  return [...(await optionPages()).values()].flatMap((text) => [...text.matchAll(MARKED)].map(([, model]) => model!));
}

type Options = Readonly<Record<string, OptionSpec>>;

/** @param elsewhere Options that another table has. */
function table(options: Options, elsewhere: Options): string {
  const own = Object.entries(options).filter(([key, option]) => elsewhere[key] !== option);
  const rows = own.map(([key, option]) => {
    return [`\`${key}\``, describe(option), `\`${defaultOf(option)}\``, option.doc, option.source];
  });
  const header = ['option', 'values', 'default', 'meaning', 'source'];
  return markdownTable(header, rows).join('\n');
}

export const main = async (): Promise<void> => writePages(await optionPages());
