/** What `docs/artifact.md` says of the fields of `manifest.json` and of the tensors, from the code. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { models } from '../../src/models/index';
import { markdownTable } from '../../src/pipeline/format';
import { configurationOf } from '../../src/train/train-from-log';
import { marked } from './pages';

const read = (path: string): string => readFileSync(join(resolve(import.meta.dirname, '../..'), path), 'utf8');
const ARTIFACT = 'src/checkpoint/artifact.ts';

/** The members of an interface, each with the comment above it. */
function fieldsOf(name: string, path: string): string[][] {
  const [, body] = new RegExp(`export interface ${name}\\b[^\\n]*\\{\\n(.*?)\\n\\}`, 's').exec(read(path))!;
  const members = body!.match(/^ {2}readonly /gm)!.length;
  const documented = [...body!.matchAll(/^ {2}\/\*\* ([^\n]*) \*\/\n {2}readonly (\w+)(\??): ([^\n]*);$/gm)];
  if (documented.length !== members)
    throw new Error(`${path}: each field of ${name} needs a comment of one line above it.`);
  return documented.map(([, about, field, optional, type]) => {
    const isObject = /^(Readonly<Record<|[A-Z]\w+$)/.test(type!);
    const plain = isObject ? 'object' : type!.replaceAll('readonly ', '').replace(/^typeof .*/, 'string');
    return [`\`${field}\`${optional === '?' ? ', or absent' : ''}`, `\`${plain}\``, about!];
  });
}

function manifest(): string {
  const fields = [...fieldsOf('Manifest', 'src/checkpoint/manifest.ts'), ...fieldsOf('ArtifactInfo', ARTIFACT)];
  const inner = ([parent, name, path]: readonly [string, string, string]): string[][] =>
    fieldsOf(name, path).map(([field, ...rest]) => [`\`${parent}.${field!.slice(1)}`, ...rest]);
  const nested = (
    [
      ['files.NAME', 'FileEntry', 'src/checkpoint/manifest.ts'],
      ['mix', 'MixedCounter', ARTIFACT],
      ['golden', 'GoldenCheck', ARTIFACT],
    ] as const
  ).flatMap(inner);
  return markdownTable(['field', 'type', 'what it says'], [...fields, ...nested]).join('\n');
}

/** What every artifact may have beside the parameters of its architecture. */
function sharedTensors(): string[][] {
  const found = [...read(ARTIFACT).matchAll(/\/\*\* ([^\n]*) \*\/\nexport const \w+_(?:TENSOR|PREFIX) = '(.*)';/g)];
  const all = read(ARTIFACT).match(/export const \w+_(TENSOR|PREFIX) =/g)!.length;
  if (found.length !== all) throw new Error(`${ARTIFACT}: each name of a tensor needs a comment of one line above it.`);
  return found.map(([, about, name]) => [`\`${name}${name!.endsWith('.') ? 'NAME' : ''}\``, about!]);
}

/** No architecture has a width like it. */
const ITEMS = 9_999_990;
const dimension = (size: number): string => (size > ITEMS ? `n + ${size - ITEMS}` : String(size));

/** The parameters of each architecture at its defaults; layers of one kind together. */
async function parameters(): Promise<string[][]> {
  return Promise.all(
    Object.entries(models).map(async ([name, { spec }]) => {
      const { config } = await configurationOf(name, {});
      const shapes = new Map<string, Set<string>>();
      const specs = (await spec()).parameters(config, { items: ITEMS });
      for (const [tensor, { shape }] of Object.entries(specs)) {
        const group = tensor.replace(/\.\d+(?=\.)/g, '.N');
        shapes.set(group, (shapes.get(group) ?? new Set()).add(`[${shape.map(dimension).join(', ')}]`));
      }
      const list = [...shapes].map(([tensor, of]) => `\`${tensor}\`${of.size === 1 ? ` ${[...of][0]}` : ''}`);
      return [`\`${name}\``, list.join(', ')];
    }),
  );
}

/** The page with its generated tables. */
export async function artifactPage(text: string): Promise<string> {
  const withFields = marked(text, 'manifest', manifest());
  const withShared = marked(
    withFields,
    'tensors',
    markdownTable(['tensor', 'what it holds'], sharedTensors()).join('\n'),
  );
  const rows = markdownTable(['architecture', 'parameters at its defaults, with shapes'], await parameters());
  return marked(withShared, 'parameters', rows.join('\n'));
}
