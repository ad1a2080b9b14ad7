/**
 * Answers for `studio-models/NAME/FILE` with the files of a model that the studio has put into the browser's storage, so that the
 * demo shop runs on it. It lies at the top of the site, and leaves everything else alone.
 */
import { FOLDER, SERVED } from './places';

interface Answering extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

const scope = self as unknown as {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void;
  addEventListener(type: 'fetch', listener: (event: Answering) => void): void;
};

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener('fetch', (event) => {
  const path = /\/studio-models\/([^/]+)\/([^/?]+)/.exec(new URL(event.request.url).pathname);
  if (path) event.respondWith(answer(decodeURIComponent(path[1]!), decodeURIComponent(path[2]!)));
});

async function answer(name: string, file: string): Promise<Response> {
  try {
    let folder = await navigator.storage.getDirectory();
    for (const part of [FOLDER, SERVED, name]) folder = await folder.getDirectoryHandle(part);
    const content = await (await folder.getFileHandle(file)).getFile();
    const type = file.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    return new Response(content, { headers: { 'content-type': type, 'cache-control': 'no-store' } });
  } catch {
    return new Response('The studio has no such file any more. Choose “Try it” there again.\n', { status: 404 });
  }
}
