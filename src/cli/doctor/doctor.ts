/** `aisle doctor`: finds out what an address or a folder is, and checks it. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, relative, sep } from 'node:path';
import { CATALOGUE_MANIFEST } from '../../checkpoint/catalogue-folder';
import { MANIFEST, WEIGHTS } from '../../checkpoint/manifest';
import { RecommenderError } from '../../errors';
import { refuseCheckpoint } from '../../pipeline/files/artifact-folder';
import { isFolder } from '../../pipeline/files/disk';
import type { Severity } from '../../ui/doctor/types';
import { checkCatalogueFolder, checkEmbed, checkModel, checkPage, FILES, filesIn, loadsBeside } from './check';
import { FOLDER, folderSite, webSite } from './site';
import type { Add, Finding } from './types';

export interface Diagnosis {
  /** As it was given. */
  readonly target: string;
  readonly errors: number;
  readonly warnings: number;
  /** The worst first. */
  readonly findings: readonly Finding[];
}

/** Folders that hold no files of a site. */
const PASSED_OVER = new Set(['node_modules', '.git']);
const ORDER: readonly Severity[] = ['error', 'warning', 'ok'];

/**
 * Checks a page with its files, or a folder.
 *
 * @param target An http(s) address of a page, of `embed.js`, of a model's or a catalogue's folder; or a folder on disk.
 * @throws RecommenderError `bad-input` for what is neither, or holds nothing of Aisle; `io` if the address cannot be fetched.
 */
export async function diagnose(target: string, signal: AbortSignal): Promise<Diagnosis> {
  const found = new Map<string, Finding & { files: string[] }>();
  const add: Add = (severity, code, file, what, todo) => {
    const key = JSON.stringify([severity, code, what, todo]);
    const known = found.get(key);
    if (known === undefined)
      found.set(key, { severity, code, what, ...(todo !== undefined && { todo }), files: [file] });
    else if (!known.files.includes(file)) known.files.push(file);
  };
  if (/^https?:\/\//i.test(target)) await checkAddress(target, signal, add);
  else await checkFolder(target, add);
  const findings = [...found.values()].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  for (const { files } of findings) files.sort();
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  return { target, errors: count('error'), warnings: count('warning'), findings };
}

async function checkAddress(target: string, signal: AbortSignal, add: Add): Promise<void> {
  if (!URL.canParse(target)) throw new RecommenderError('bad-input', `${target} is no address.`);
  const site = webSite(signal);
  const url = new URL(target);
  const file = basename(url.pathname);
  if (url.pathname.endsWith('.js')) return void (await checkEmbed(site, url, undefined, add));
  if (file === MANIFEST) return void (await checkModel(site, new URL('.', url), undefined, add));
  if (file === CATALOGUE_MANIFEST) return void (await checkCatalogueFolder(site, new URL('.', url), undefined, add));
  const answer = (await site.get(url))!;
  const { status, headers, failure } = answer;
  const type = headers?.get('content-type') ?? 'of no type';
  const isPage = status === 200 && /\bhtml\b/i.test(type);
  if (url.pathname.endsWith('/') && failure === undefined && !isPage) {
    // A folder, which servers seldom list.
    const isThere = async (name: string) => (await site.get(new URL(name, url)))!.status === 200;
    if (await isThere(MANIFEST)) return void (await checkModel(site, url, undefined, add));
    if (await isThere(CATALOGUE_MANIFEST)) return void (await checkCatalogueFolder(site, url, undefined, add));
  }
  const isError = (code: string, what: string, todo: string) => add('error', code, url.href, what, todo);
  if (failure?.startsWith('redirects')) return isError('redirects', `${failure}.`, 'Look at the server’s redirects.');
  if (failure !== undefined) throw new RecommenderError('io', `${answer.url.href} ${failure}.`);
  if (answer.url.href !== url.href) add('ok', 'redirect', url.href, `leads to ${answer.url.href}, which is checked.`);
  if (status === 401 || status === 403) {
    const todo = 'Check a page that needs no sign-in, or the site’s folder.';
    return isError('sign-in', `is refused with status ${status}.`, todo);
  }
  if (status !== 200) return isError('missing', `is answered with status ${status}.`, 'Check the address.');
  if (!isPage) {
    const todo = 'Give the address of a page, of embed.js, or of a manifest.json.';
    return isError('no-page', `is no HTML page, but ${type}.`, todo);
  }
  await checkPage(site, answer, add);
}

async function checkFolder(dir: string, add: Add): Promise<void> {
  if (!existsSync(dir)) throw new RecommenderError('bad-input', `${dir} is neither a folder nor an http(s) address.`);
  if (!(await isFolder(dir))) {
    const todo = `give the folder that holds it (${dirname(dir)}), or an http(s) address`;
    throw new RecommenderError('bad-input', `${dir} is a file, and a folder is checked whole: ${todo}.`);
  }
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, `${entry.parentPath}${sep}${entry.name}`).split(sep))
    .filter((path) => !path.some((part) => PASSED_OVER.has(part)))
    .map((path) => path.join('/'))
    .sort();
  const site = folderSite(dir);
  const urlOf = (path: string) => new URL(path.split('/').map(encodeURIComponent).join('/'), FOLDER);
  const textOf = async (url: URL) => new TextDecoder().decode((await site.get(url))!.bytes);
  /** The folders that hold one of these files. */
  const foldersOf = (...names: readonly string[]) =>
    [
      ...new Set(paths.filter((path) => names.includes(basename(path))).map((path) => new URL('.', urlOf(path)).href)),
    ].map((href) => new URL(href));
  let checked = 0;
  for (const folder of foldersOf('embed.js', FILES)) {
    const isOurs = paths.includes(decodeURIComponent(new URL('embed.js', folder).pathname.slice(1)));
    const files = filesIn(new TextEncoder().encode(await textOf(new URL(FILES, folder))), FILES);
    const isListed = files !== undefined && Object.hasOwn(files, 'embed.js');
    // Other tools have an `embed.js`, too; ours imports a file beside it.
    if (!isListed && !(isOurs && loadsBeside(await textOf(new URL('embed.js', folder))))) continue;
    await checkEmbed(site, new URL('embed.js', folder), undefined, add);
    checked++;
  }
  for (const folder of foldersOf(MANIFEST, WEIGHTS)) {
    // Other tools have a `manifest.json`, too.
    const isModel = paths.includes(decodeURIComponent(new URL(WEIGHTS, folder).pathname.slice(1)));
    if (!isModel && !(await textOf(new URL(MANIFEST, folder))).includes('"formatVersion"')) continue;
    await checkModel(site, folder, undefined, add);
    checked++;
  }
  for (const folder of foldersOf(CATALOGUE_MANIFEST)) {
    await checkCatalogueFolder(site, folder, undefined, add);
    checked++;
  }
  for (const path of paths.filter((name) => /\.html?$/i.test(name))) {
    const url = urlOf(path);
    if (!/data-model-url|aisle-recommendations|["'](?!https?:|\/\/)[^"'\s]*\/embed\.js/.test(await textOf(url)))
      continue;
    await checkPage(site, (await site.get(url))!, add);
    checked++;
  }
  if (checked === 0) {
    await refuseCheckpoint(dir);
    throw new RecommenderError(
      'bad-input',
      `${dir} holds nothing of Aisle: no embed.js, no ${MANIFEST} of a model, no ${CATALOGUE_MANIFEST}, no page with the tag.`,
    );
  }
}
