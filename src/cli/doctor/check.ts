/** Looks at pages, at the folder of `embed.js`, at models and at catalogues, and says what is wrong with them. */

import { checkAliases } from '../../checkpoint/aliases';
import type { CatalogueItem, OpenedArtifact } from '../../checkpoint/artifact';
import { checkCatalogue } from '../../checkpoint/catalogue-file';
import {
  CATALOGUE_MANIFEST,
  COLD_START,
  checkCatalogueManifest,
  checkColdStart,
  filesOfPage,
  PART_NAME,
} from '../../checkpoint/catalogue-folder';
import { isRecord, parseJson } from '../../checkpoint/json';
import { ALIASES, checkManifest, type FileEntry, MANIFEST, REPORT, RULES } from '../../checkpoint/manifest';
import { openArtifact } from '../../checkpoint/open';
import { checkRules } from '../../checkpoint/rules';
import { fileUrl } from '../../engine/artifact-loader';
import { RecommenderError, reasonOf } from '../../errors';
import { nearestName } from '../../nearest-name';
import { PRIVATE } from '../../pipeline/training-report';
import { STRATEGIES } from '../../recommender/arguments';
import { folderOf } from '../../recommender/live-catalogue';
import { PICTURES } from '../../ui/doctor/findings';
import { ATTRIBUTES, TAG } from '../../ui/element';
import { misspelt, warnOfMisspelt } from '../../ui/misspelt';
import { optionsOfTag, partOptions } from '../../ui/options';
import type { EmbedOptions } from '../../ui/types';
import { checkPolicies } from './check-policies';
import { checkFile, checkFiles, type Wanted } from './files';
import { datasetOf, type Tag, tagsOf } from './html';
import { policiesOf } from './policy';
import type { Add, Answer, Page, Site } from './types';

/** The list of its own files that a build writes beside `embed.js`. */
export const FILES = 'files.json';
/** Files of that folder whose names do not change with their content. */
const STABLE = ['embed.js', 'worker.js'];
/** Attributes of a slot that do not redraw it. */
const SLOT_ATTRIBUTES = [...ATTRIBUTES, 'layout', 'reasons'];
const COPY = 'Copy the whole folder dist/embed, not embed.js alone.';

export async function checkPage(site: Site, answer: Answer, add: Add): Promise<void> {
  const name = site.name(answer.url);
  const { url, bytes, headers } = answer;
  const tags = tagsOf(new TextDecoder().decode(bytes));
  const href = tags.find((tag) => tag.name === 'base')?.attributes['href'] ?? '';
  const base = URL.canParse(href, url) ? new URL(href, url) : url; // as browsers do
  checkSlots(tags, name, add);
  const script = embedTag(tags, name, base, add);
  if (script === undefined || !checkAddresses(script, name, base, add)) return;
  const options = checkOptions(script, name, add);
  const { src, nonce } = script.attributes;
  const metas = tags.filter(({ attributes }) => /^content-security-policy$/i.test(attributes['http-equiv'] ?? ''));
  const texts = [headers?.get('content-security-policy') ?? '', ...metas.map((tag) => tag.attributes['content'] ?? '')];
  const page: Page = { url, policies: policiesOf(texts), nonce };
  const embed = new URL(src!, base);
  const modelUrl = folderAt(options?.modelUrl ?? script.attributes['data-model-url']!, base);
  const isInFolder = options?.workerUrl === undefined;
  const workerUrl = isInFolder ? new URL('worker.js', embed) : new URL(options.workerUrl, base);
  const found = await checkEmbed(site, embed, page, add, workerUrl);
  const worker = found ?? (isInFolder ? undefined : await checkFile(site, { url: workerUrl }, url, add));
  const model = await checkModel(site, modelUrl, page, add);
  const catalogueUrl = datasetOf(script)['catalogueUrl'];
  const language = tags.find((tag) => tag.name === 'html')?.attributes['lang'] ?? '';
  const folders = catalogueUrl ? foldersOf(catalogueUrl, language) : [];
  const catalogues = folders.map((address) => folderAt(address, base));
  const [apart] = await Promise.all(
    catalogues.map(async (folder) => {
      const products = await checkCatalogueFolder(site, folder, page, add);
      const known = new Set(model?.itemIds);
      if (products && model && !products.some(({ id }) => known.has(id))) {
        const todo = 'Write it with "aisle catalogue FEED --artifact DIR", which reports what matches.';
        add(
          'error',
          'foreign-catalogue',
          site.name(folder),
          'holds no product that the model knows: no page takes it.',
          todo,
        );
      }
      return products;
    }),
  );
  const products = apart ?? model?.catalogue ?? [];
  if (options && options.images === undefined) checkPictures(products, name, add);
  if (headers !== undefined || page.policies.length > 0) {
    const images = imagesOf(options, products);
    checkPolicies(site, page, { embed, modelUrl, catalogues, workerUrl, worker, images }, add);
  }
  const isolation = ['cross-origin-opener-policy', 'cross-origin-embedder-policy'].flatMap((header) => {
    const value = headers?.get(header);
    return value ? [`${header}: ${value}`] : [];
  });
  if (isolation.length > 0) add('ok', 'isolation', name, `is sent with ${isolation.join(', ')}; Aisle needs neither.`);
}

/** The tag that a page starts Aisle by. */
function embedTag(tags: readonly Tag[], name: string, base: URL, add: Add): Tag | undefined {
  const scripts = tags.filter((tag) => tag.name === 'script' && 'data-model-url' in tag.attributes);
  const [script] = scripts;
  if (script === undefined) {
    const isStarted = tags.some(({ content }) => /\baisle\b/.test(content) && /\bmodelUrl\b/.test(content));
    if (isStarted) {
      const what = 'starts Aisle by a command, whose options are not looked at.';
      add(
        'ok',
        'command',
        name,
        what,
        'Give the addresses of embed.js and of the model’s folder to "aisle doctor" by themselves.',
      );
    } else if (tags.some((tag) => mayBeEmbed(tag, base))) {
      add('error', 'no-model-url', name, 'has embed.js without data-model-url.', 'Add data-model-url="…/" to its tag.');
    } else {
      const what = 'has no script with data-model-url.';
      const todo = 'Add the tag (docs/embed.md). If a tag manager adds it, check the address of embed.js by itself.';
      add(tags.some((tag) => tag.name === TAG) ? 'error' : 'warning', 'no-tag', name, what, todo);
    }
    return undefined;
  }
  if (scripts.length > 1)
    add('warning', 'two-tags', name, `has ${scripts.length} scripts with data-model-url: the first one runs.`);
  const { src, type, nomodule } = script.attributes;
  if (type?.trim().toLowerCase() !== 'module') {
    add(
      'error',
      'no-module',
      name,
      'loads embed.js without type="module": it cannot run.',
      'Add type="module" to its tag.',
    );
  }
  if (nomodule !== undefined)
    add('error', 'nomodule', name, 'has nomodule on the tag: no browser runs it.', 'Take it out.');
  if (!src) {
    add('error', 'no-src', name, 'has the tag without src.', 'Write src="…/embed.js".');
    return undefined;
  }
  return script;
}

/** Whether a tag may load our script. Other tools have an `embed.js`, too, on hosts of their own. */
function mayBeEmbed({ attributes: { src = '' } }: Tag, base: URL): boolean {
  return /\/embed\.js(\?|$)/.test(src) && URL.canParse(src, base) && new URL(src, base).origin === base.origin;
}

/** Whether the tag's addresses are some. */
function checkAddresses({ attributes }: Tag, name: string, base: URL, add: Add): boolean {
  const wrong = ['src', 'data-model-url', 'data-catalogue-url', 'data-worker-url'].filter(
    (attribute) => !URL.canParse(attributes[attribute] ?? '', base),
  );
  for (const attribute of wrong) {
    const what = `has a tag with ${attribute}="${attributes[attribute]}", which is no address.`;
    add('error', 'no-address', name, what, 'Correct it.');
  }
  return wrong.length === 0;
}

/** Checks the tag's options as the embed does. */
function checkOptions(script: Tag, name: string, add: Add): EmbedOptions | undefined {
  const warn = (problem: string) => add('warning', 'option', name, `has a tag on which ${problem}`);
  const tag = { dataset: datasetOf(script) };
  warnOfMisspelt(tag, { warn });
  const options = optionsOfTag(tag);
  try {
    partOptions(options);
    return options;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    add(
      'error',
      'wrong-option',
      name,
      `has a wrong option on its tag: ${error.message}`,
      'Correct it, or leave it out.',
    );
    return undefined;
  }
}

function checkSlots(tags: readonly Tag[], name: string, add: Add): void {
  const slots = tags.filter((tag) => tag.name === TAG);
  const isPage = tags.some((tag) => tag.name === 'script' && 'data-model-url' in tag.attributes);
  if (slots.length === 0 && isPage) {
    add('ok', 'no-slot', name, `has no <${TAG}>, unless a script adds one.`, 'Put one where suggestions belong.');
  }
  for (const { attributes } of slots) {
    const { strategy = 'for-you', limit = '8' } = attributes;
    if (!STRATEGIES.some((known) => known === strategy)) {
      const what = `has a slot with strategy="${strategy}", which there is not: it shows for-you.`;
      const near = nearestName(strategy, STRATEGIES);
      const todo = near === undefined ? `Write one of ${STRATEGIES.join(', ')}.` : `Did you mean "${near}"?`;
      add('warning', 'strategy', name, what, todo);
    }
    if (!(Number.isInteger(Number(limit)) && Number(limit) >= 1 && Number(limit) <= 100)) {
      add('warning', 'limit', name, `has a slot with limit="${limit}".`, 'Write a whole number from 1 to 100.');
    }
    for (const attribute of Object.keys(attributes)) {
      const near = SLOT_ATTRIBUTES.includes(attribute) ? undefined : misspelt(attribute, SLOT_ATTRIBUTES);
      if (near !== undefined)
        add('warning', 'attribute', name, `has a slot with ${attribute}.`, `Did you mean ${near}?`);
    }
  }
}

/**
 * Looks at `embed.js` and all files of its folder.
 *
 * @param workerUrl Where the worker's script is. Default: in that folder.
 * @returns The worker's script.
 */
export async function checkEmbed(
  site: Site,
  embed: URL,
  page: Pick<Page, 'url'> | undefined,
  add: Add,
  workerUrl = new URL('worker.js', embed),
): Promise<Answer | undefined> {
  const name = site.name(embed);
  const list = new URL(FILES, embed);
  const listed = await site.get(list, page && { from: page.url });
  if (listed === undefined) {
    addElsewhere(name, add);
    return undefined;
  }
  const files = listed.status === 200 ? filesIn(listed.bytes, FILES) : undefined;
  if (files === undefined || !Object.hasOwn(files, 'embed.js')) {
    const script = await checkFile(site, { url: embed }, page?.url, add);
    const first = loadsBeside(new TextDecoder().decode(script?.bytes));
    if (script === undefined) return undefined;
    if (first === undefined) {
      add('error', 'not-embed', name, 'is not embed.js of Aisle.', COPY);
      return undefined;
    }
    const part = new URL(first, embed);
    const found = await checkFiles(site, [{ url: part, isHashed: true }, { url: workerUrl }], page?.url, add);
    add('warning', 'no-list', name, `has no ${FILES} beside it, so that its other files cannot be checked.`, COPY);
    return found.get(workerUrl.href);
  }
  const wanted = Object.entries(files).map(([file, entry]): Wanted => {
    const url = file === 'embed.js' ? embed : file === 'worker.js' ? workerUrl : new URL(file, embed);
    return { url, entry, isHashed: !STABLE.includes(file) };
  });
  const found = await checkFiles(site, wanted, page?.url, add);
  if (found.size === wanted.length) {
    add('ok', 'embed', name, `and all ${wanted.length} files of its folder are there, of one version.`);
  }
  return found.get(workerUrl.href);
}

/** The file beside it that a script imports first. */
export const loadsBeside = (script: string): string | undefined =>
  /\bimport\(\s*["'`](\.[^"'`]+)["'`]\s*\)/.exec(script)?.[1];

const addElsewhere = (name: string, add: Add): void =>
  add('ok', 'elsewhere', name, 'is on another host, which is not looked at.', 'Check its address by itself.');

/**
 * Looks at a model's folder.
 *
 * @param folder Ends in `/`, or has `{file}` in place of a file's name.
 * @returns The model, if all is well.
 */
export async function checkModel(
  site: Site,
  folder: URL,
  page: Pick<Page, 'url'> | undefined,
  add: Add,
): Promise<OpenedArtifact | undefined> {
  const urlOf = (name: string) => new URL(fileUrl(folder.href, name));
  const at = urlOf(MANIFEST);
  if ((await site.get(at)) === undefined) {
    addElsewhere(site.name(folder), add);
    return undefined;
  }
  const manifest = await checkFile(site, { url: at }, page?.url, add);
  if (manifest === undefined) return undefined;
  try {
    const { files } = checkManifest(parseJson(manifest.bytes, MANIFEST));
    const wanted = Object.entries(files).map(
      ([name, entry]): Wanted => ({ url: urlOf(name), isCompared: true, entry }),
    );
    const found = await checkFiles(site, wanted, page?.url, add);
    if (found.size < wanted.length) return undefined;
    const all = new Map([[at.href, manifest], ...found]);
    const artifact = await openArtifact(async (name) => all.get(urlOf(name).href)?.bytes);
    const { name, version, items } = artifact.info;
    add('ok', 'model', site.name(folder), `holds the model ${name} ${version} of ${items} items, complete.`);
    const report = await site.get(urlOf(REPORT));
    if (report?.status === 200 && new TextDecoder().decode(report.bytes).includes(PRIVATE)) {
      add(
        'warning',
        'report',
        site.name(urlOf(REPORT)),
        'shows sessions of the log.',
        'Do not publish it: no page needs it.',
      );
    }
    return artifact;
  } catch (error) {
    if (!(error instanceof RecommenderError)) throw error;
    const what = `is no model that can be loaded: ${error.message}`;
    add('error', 'model', site.name(folder), what, 'Copy the whole folder again.');
    return undefined;
  }
}

/**
 * Looks at a catalogue that lives apart.
 *
 * @param folder Ends in `/`, or has `{file}` in place of a file's name.
 * @returns Its products, if all is well.
 */
export async function checkCatalogueFolder(
  site: Site,
  folder: URL,
  page: Pick<Page, 'url'> | undefined,
  add: Add,
): Promise<readonly CatalogueItem[] | undefined> {
  const urlOf = (name: string) => new URL(fileUrl(folder.href, name));
  const at = urlOf(CATALOGUE_MANIFEST);
  if ((await site.get(at, page && { from: page.url })) === undefined) {
    addElsewhere(site.name(folder), add);
    return undefined;
  }
  const manifest = await checkFile(site, { url: at }, page?.url, add);
  if (manifest === undefined) return undefined;
  const again = 'Run "aisle catalogue" again, and copy the whole folder.';
  try {
    const checked = checkCatalogueManifest(parseJson(manifest.bytes, CATALOGUE_MANIFEST));
    filesOfPage(checked); // or they are too long
    const { files } = checked;
    const wanted = Object.entries(files).map(
      ([name, entry]): Wanted => ({ url: urlOf(name), isCompared: true, entry }),
    );
    const found = await checkFiles(site, wanted, page?.url, add);
    if (found.size < wanted.length) return undefined;
    const products = Object.keys(files).flatMap((name) => {
      const read = () => parseJson(found.get(urlOf(name).href)!.bytes, name);
      if (name === ALIASES) checkAliases(read());
      if (name === COLD_START) checkColdStart(read());
      if (name === RULES) {
        const { wrong } = checkRules(read());
        if (wrong.length > 0)
          add(
            'warning',
            'rules',
            site.name(urlOf(name)),
            `has rules that no page follows: ${wrong.join('; ')}.`,
            again,
          );
      }
      return PART_NAME.test(name) ? checkCatalogue(read(), name) : [];
    });
    add('ok', 'catalogue', site.name(folder), `holds a catalogue of ${products.length} products, complete.`);
    return products;
  } catch (error) {
    add('error', 'catalogue', site.name(folder), `is no catalogue that can be read: ${reasonOf(error)}`, again);
    return undefined;
  }
}

/** The files that a list names, each with its hash; undefined for what is no such list. */
export function filesIn(bytes: Uint8Array, name: string): Readonly<Record<string, FileEntry>> | undefined {
  let list: unknown;
  try {
    list = parseJson(bytes, name);
  } catch {
    return undefined;
  }
  const files = isRecord(list) ? list['files'] : undefined;
  const isFile = (entry: unknown) => isRecord(entry) && typeof entry['sha256'] === 'string';
  return isRecord(files) && Object.values(files).every(isFile) ? (files as Record<string, FileEntry>) : undefined;
}

/** Pictures that have addresses are not shown unless the page says so. */
function checkPictures(products: readonly CatalogueItem[], name: string, add: Add): void {
  const count = products.filter(({ image }) => image !== undefined && !/^data:/i.test(image)).length;
  if (count === 0) return;
  const what = `shows letters in place of the pictures of ${count} of ${products.length} products: they have addresses.`;
  add('warning', 'pictures', name, what, PICTURES);
}

/** Hosts of pictures that a page loads from elsewhere. */
function imagesOf(options: EmbedOptions | undefined, products: readonly CatalogueItem[]): URL[] {
  if (options?.images === 'none') return [];
  const all = products.flatMap(({ image = '' }) => (URL.canParse(image) ? new URL(image) : []));
  const shown = all.filter(({ protocol }) => (protocol === 'data:') === (options?.images !== 'page'));
  return [...new Map(shown.map((url) => [url.protocol + url.host, url])).values()];
}

/** The folder of a page's language, and those of the other languages that the address lists. */
function foldersOf(address: string, language: string): string[] {
  const lists = [...address.matchAll(/\{([^{}]*\|[^{}]*)\}/g)].flatMap(([, list]) => list!.split('|'));
  return [...new Set([language, ...lists.map((tag) => tag.trim())].map((tag) => folderOf(address, tag)))];
}

/** A folder's address, with the `/` that it needs where it has no `{file}`. */
function folderAt(address: string, base: URL): URL {
  const url = new URL(address, base);
  if (!/\/$|%7Bfile%7D/.test(url.pathname)) url.pathname += '/';
  return url;
}
