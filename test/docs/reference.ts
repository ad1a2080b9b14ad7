/** `docs/reference` and the tables of codes, written from the code. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Application, type TypeDocOptions } from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { run } from '../../src/cli/main';
import { artifactPage } from './artifact-page';
import { marked, type Pages, pageNow, writePages } from './pages';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCS = join(ROOT, 'docs');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The entries of the package, with the names that TypeDoc gives their pages. */
const ENTRIES = [
  { source: 'src/index.ts', made: 'index.md', page: 'library.md', title: '`aisle`' },
  { source: 'src/node.ts', made: 'node.md', page: 'node.md', title: '`aisle/node`' },
  { source: 'src/ui/start.ts', made: 'ui/start.md', page: 'element.md', title: '`aisle/element`' },
  { source: 'src/ui/embed.ts', made: 'ui/embed.md', page: 'embed.md', title: '`aisle/embed.js`' },
];
/** Where codes are declared, each below what it means. */
const CODES = { ErrorCode: 'src/errors.ts', DegradationCode: 'src/recommender/types.ts' };

export async function referencePages(): Promise<Pages> {
  const pages = await typePages();
  pages.set(join(DOCS, 'reference/commands.md'), await commandPage());
  const artifact = join(DOCS, 'artifact.md');
  pages.set(artifact, await artifactPage(pageNow(artifact)));
  const troubleshooting = 'docs/troubleshooting.md';
  let text = read(troubleshooting);
  for (const [name, source] of Object.entries(CODES))
    text = marked(text, `codes ${name}`, codeTable(name, read(source)));
  return pages.set(join(ROOT, troubleshooting), text);
}

/** The public types, as TypeDoc reads them. */
async function typePages(): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'aisle-reference-'));
  try {
    const tsconfig = join(folder, 'tsconfig.json');
    const entryPoints = ENTRIES.map(({ source }) => join(ROOT, source));
    // Of the checkout's other files, none: they would take most of the time.
    writeFileSync(tsconfig, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), files: entryPoints, include: [] }));
    const options: Partial<TypeDocOptions & PluginOptions> = {
      plugin: ['typedoc-plugin-markdown'],
      entryPoints,
      tsconfig,
      out: join(folder, 'out'),
      readme: 'none',
      logLevel: 'Error',
      skipErrorChecking: true, // `npm run check` does it
      disableSources: true,
      excludeExternals: true,
      outputFileStrategy: 'modules',
      hidePageHeader: true,
      hideBreadcrumbs: true,
      hideGroupHeadings: true,
      useHTMLAnchors: true,
      interfacePropertiesFormat: 'table',
      classPropertiesFormat: 'table',
      typeAliasPropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
      propertyMembersFormat: 'table',
      parametersFormat: 'table',
      tableColumnSettings: { hideInherited: true, hideOverrides: true, hideModifiers: true, hideDefaults: true },
    };
    const application = await Application.bootstrapWithPlugins(options as Partial<TypeDocOptions>);
    const project = await application.convert();
    if (!project) throw new Error('TypeDoc could not read the types.');
    await application.generateOutputs(project);
    return new Map(
      ENTRIES.map(({ made, page, title }) => {
        const body = readFileSync(join(folder, 'out', made), 'utf8').replace(/^# .*\n/, '');
        const linked = ENTRIES.reduce(
          (text, { made, page }) => text.replaceAll(new RegExp(`\\((?:[^()]*/)?${basename(made)}`, 'g'), `(${page}`),
          body,
        );
        return [join(DOCS, 'reference', page), `# ${title}\n\nWritten from the types.\n${folded(linked)}`];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A row of a table of properties: its name, its type, what it is. */
const ROW = /^\| (.*?`([^`]+)`) \| (.*) \| (.*?) \|$/;

/**
 * The page with fields of objects that have no words of their own, but whose object has, as part of that object's type.
 *
 * @throws Error for a row that nothing describes.
 */
function folded(page: string): string {
  const lines = page.split('\n');
  for (let at = lines.length - 1; at >= 0; at--) {
    const [, cell, name, , about] = ROW.exec(lines[at]!) ?? [];
    if (name === undefined) continue;
    const parent = name.replace('?', '');
    const fields: string[] = [];
    let end = at + 1;
    for (; end < lines.length; end++) {
      const [, , field, type, words] = ROW.exec(lines[end]!) ?? [];
      if (!field?.startsWith(`${parent}.`) || words !== '-') break;
      // Deeper ones are part of the type of the field above them.
      if (!field.slice(parent.length + 1).includes('.')) fields.push(`\`${field.slice(parent.length + 1)}\`: ${type}`);
    }
    if (fields.length > 0) lines.splice(at, end - at, `| ${cell} | { ${fields.join('; ')} } | ${about} |`);
  }
  const silent = lines.filter((line) => ROW.exec(line)?.[4] === '-');
  if (silent.length > 0) throw new Error(`Nothing says what these are; write it above them:\n${silent.join('\n')}`);
  return lines.join('\n');
}

/** What `aisle COMMAND --help` prints of every command. */
async function commandPage(): Promise<string> {
  const names = readdirSync(join(ROOT, 'src/cli/commands')).map((file) => file.replace('.ts', ''));
  const sections = await Promise.all(names.sort().map(async (name) => `## aisle ${name}\n\n${await helpOf(name)}`));
  return `# Commands\n\nWhat \`aisle COMMAND --help\` prints.\n\n${sections.join('\n')}`;
}

async function helpOf(command: string): Promise<string> {
  let text = '';
  const stdout = {
    write(more: string) {
      text += more;
    },
  };
  const code = await run([command, '--help'], { stdout, stderr: stdout });
  if (code !== 0) throw new Error(`aisle ${command} --help: exit code ${code}, ${text}`);
  return `\`\`\`text\n${text.trim()}\n\`\`\`\n`;
}

/** The members of a union of texts, with the comment above each. */
function codeTable(name: string, source: string): string {
  const union = new RegExp(`export type ${name} =\\n(.*?);\\n`, 's').exec(source)?.[1] ?? '';
  const codes = [...union.matchAll(/\/\*\* (.*?) \*\/\s*\| '([\w-]+)'/gs)];
  if (codes.length === 0 || codes.length !== union.split('|').length - 1)
    throw new Error(`Each member of ${name} needs a comment above it.`);
  return [
    '| code | what it means |',
    '| --- | --- |',
    ...codes.map(([, doc, code]) => `| \`${code}\` | ${doc} |`),
  ].join('\n');
}

export const main = async (): Promise<void> => writePages(await referencePages());
