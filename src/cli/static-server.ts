/** A small server of static files for `aisle demo`: GET and HEAD, on this machine only, never outside its folders. */
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

/**
 * What is served under a path prefix: the files of a folder (only those in `only`, if given), or a text, which a function
 * creates for each request. The longest prefix wins. Files of a `versioned` folder never change under one address: their level
 * below the path (`/assets/3f2a/…`, any name matches) or their own name (`'names'`) contains a version.
 */
export type Mount =
  | {
      readonly path: string;
      readonly folder: string;
      readonly only?: readonly string[];
      readonly versioned?: 'level' | 'names';
      /** Added to the answers of this folder. */
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly path: string; readonly text: string | (() => Promise<string>); readonly type: string };

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Creates a server of `mounts`; call `listen` on the result.
 *
 * @param headers Added to every answer.
 */
export function staticServer(mounts: readonly Mount[], headers: Readonly<Record<string, string>> = {}): Server {
  const byLength = [...mounts].sort((a, b) => b.path.length - a.path.length);
  return createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(byLength, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'The file could not be read.');
    });
  });
}

/** Stops DNS rebinding: a foreign page whose host name resolves to this machine sends its own host name. */
const OWN_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

async function answer(mounts: readonly Mount[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!OWN_HOST.test(request.headers.host ?? '')) {
    return refuse(response, 421, 'Only requests to localhost are answered.');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'Only GET and HEAD are answered.');
  }
  const path = decodePath(request.url ?? '/');
  if (path === undefined) return refuse(response, 400, 'The address is not well formed.');
  const mount = mounts.find((m) => ('text' in m ? path === m.path : path.startsWith(m.path)));
  if (mount === undefined) return refuse(response, 404, 'There is no such file.');
  if (mounts.some((m) => 'folder' in m && m.path === `${path}/`)) {
    response.writeHead(301, { location: `${path}/` });
    response.end();
    return;
  }
  if ('text' in mount) {
    const text = typeof mount.text === 'string' ? mount.text : await mount.text();
    response.writeHead(200, { 'content-type': mount.type, 'cache-control': 'no-cache' });
    response.end(request.method === 'HEAD' ? undefined : text);
    return;
  }
  const below = path.slice(mount.path.length);
  const name = mount.versioned === 'level' ? /^[^/]+\/(.+)$/.exec(below)?.[1] : below;
  const isGiven = name !== undefined && mount.only?.includes(name) !== false;
  const file = isGiven ? await findFile(mount.folder, name) : undefined;
  if (file === undefined) return refuse(response, 404, 'There is no such file.');
  const etag = `"${file.size.toString(36)}-${Math.round(file.mtimeMs).toString(36)}"`;
  const known = request.headers['if-none-match'] === etag;
  const small = known ? undefined : await compressed(file, etag, request.headers['accept-encoding']);
  response.writeHead(known ? 304 : 200, {
    ...mount.headers,
    'content-type': TYPES[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    'cache-control': mount.versioned === undefined ? 'no-cache' : 'max-age=31536000, immutable',
    etag,
    vary: 'accept-encoding',
    ...(small === undefined ? {} : { 'content-encoding': 'br' }),
    ...(known ? {} : { 'content-length': small?.length ?? file.size }),
  });
  if (known || request.method === 'HEAD') response.end();
  else if (small !== undefined) response.end(small);
  else await pipeline(createReadStream(file.path), response);
}

/** Files that Brotli makes smaller. Pictures and fonts are compressed in themselves. */
const COMPRESSIBLE = /\.(html|js|css|json|svg|txt|md|wasm|safetensors|bin)$/i;
const MOST_COMPRESSED = 32_000_000;
/** Of Brotli's 11 levels: a tenth larger than the best, and fast. */
const LEVEL = 6;
/** Compressed files by path. */
const ready = new Map<string, { readonly etag: string; readonly bytes: Promise<Uint8Array> }>();

/** The file compressed as a shop's server does it; undefined if it is sent as it is. */
async function compressed(
  { path, size }: { readonly path: string; readonly size: number },
  etag: string,
  accepted: string | string[] | undefined,
): Promise<Uint8Array | undefined> {
  const isWanted = /(^|,)\s*br\s*(,|$)/.test(String(accepted ?? ''));
  if (!isWanted || size > MOST_COMPRESSED || !COMPRESSIBLE.test(path)) return undefined;
  let entry = ready.get(path);
  if (entry?.etag !== etag) {
    const params = { [constants.BROTLI_PARAM_QUALITY]: LEVEL };
    entry = { etag, bytes: readFile(path).then((bytes) => compress(bytes, { params })) };
    ready.set(path, entry);
  }
  return entry.bytes;
}

const compress = promisify(brotliCompress);

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${sentence}\n`);
}

/** The path of a request, percent-decoded; undefined if it is malformed or could name a file in another folder. */
function decodePath(url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    const parts = path.split('/');
    if (!path.startsWith('/') || /[\0\\]/.test(path) || parts.includes('..')) return undefined;
    return path;
  } catch {
    return undefined;
  }
}

/** A regular file inside `folder`, links followed only as far as they stay inside. */
async function findFile(
  folder: string,
  name: string,
): Promise<{ path: string; size: number; mtimeMs: number } | undefined> {
  const wanted = resolve(join(folder, name === '' || name.endsWith('/') ? `${name}index.html` : name));
  try {
    const [root, path] = await Promise.all([realpath(folder), realpath(wanted)]);
    if (!path.startsWith(root + sep)) return undefined;
    const { size, mtimeMs, isFile } = await stat(path).then((s) => ({ ...s, isFile: s.isFile() }));
    return isFile ? { path, size, mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}
