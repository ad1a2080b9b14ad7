/** What the demo's panel says, in English. */
import type { DegradationCode, GateStatus, LearningStatus } from '../../index';
import type { VisitorFile } from '../tour';
import { odds, whole } from './numbers';

export const PANEL_EN = {
  frame: {
    close: 'Close',
    loading: 'Loading …',
    tabs: {
      visit: 'Your visit',
      learning: 'Learning',
      models: 'Models',
      engine: 'Engine',
      network: 'Network',
      plugs: 'Pull the plug',
    },
    backends: {
      auto: 'Auto',
      plan: 'Compiled plan',
      webgpu: 'WebGPU',
      webgl: 'WebGL',
      wasm: 'WebAssembly',
      cpu: 'JavaScript',
    },
    unknownBackend: (name: string, near: string | undefined, known: readonly string[]) =>
      `No backend is called “${name}”. ${near === undefined ? `Known are ${known.join(', ')}.` : `Did you mean “${near}”?`} The shop runs on auto.`,
  },
  visit: {
    keep: 'Keep my visits',
    consent: { granted: 'On this device', denied: 'In this page only' },
    reads: 'What the model reads',
    history: { session: 'This visit', recent: 'Recent ones too', all: 'All' },
    historyText: {
      session: (minutes: number) =>
        `The model reads the running visit, of all tabs. After ${minutes} minutes without a click a new one begins.`,
      recent: () => 'The model also reads earlier visits; half of one fades within a week, and all of it after four.',
      all: () => 'The model reads every event that is known.',
    },
    kinds: { view: 'looked at', cart: 'put into the basket', purchase: 'ordered' } as Readonly<Record<string, string>>,
    known: 'What is known of you',
    export: 'Export',
    erase: 'Erase',
    nothing: 'Nothing yet. Look at a product.',
    newest: 'The newest visit',
    earlier: 'An earlier visit',
    since: (day: string, time: string) => `since ${day}, ${time}`,
    places: {
      indexeddb: 'Stored in this browser’s IndexedDB, on this device. It is never sent anywhere.',
      idle: 'This browser is being asked to store it. It is never sent anywhere.',
      memory: 'In this page’s memory, never sent anywhere, and gone when you close the page.',
    },
  },
  learning: {
    places: { none: 'Nowhere', memory: 'In this page', indexeddb: 'On this device' },
    none: 'None yet: a page learns when it is idle. The first click of a visit is not foreseen.',
    requests: 'The requests behind it',
    learn: 'Learn now',
    undo: 'Undo',
    reordered: 'The same visit, ordered again',
    foreseen: 'Each click, foreseen before it was learnt',
    sent: 'What went out meanwhile',
    columns: ['Your click', 'Rank before', 'after', 'Loss before', 'after'],
    unable: 'This model cannot learn here.',
    nothing: 'Nothing is learnt yet.',
    decision: ({ isOpen, why }: GateStatus) => `${isOpen ? 'Used.' : 'Not used.'} ${why}`,
    clicks: 'Clicks learnt',
    inSteps: (events: number, steps: number) => `${events}, in ${steps} steps`,
    base: 'Mean reciprocal rank, model alone',
    tuned: 'With what was learnt',
    evidence: 'Evidence that it is better',
    undone: 'Undone by the gate',
    times: (count: number) => `${count} times`,
    refused: 'Passed over as nobody’s clicks',
    kept: 'Kept',
    alone: 'The model alone',
    suggested: 'The shop suggests',
    lookFirst: 'Look at a product, and see here what the model alone would suggest, and what the shop does.',
    asking: 'Asking the model alone …',
    same: 'Both are the same: the shop suggests what the model alone does.',
    moved: (moved: number, shown: number) =>
      `${moved} of the first ${shown} are others than by the model alone, or stand elsewhere.`,
    asBefore: 'as before',
    /** From and to a place, a number or one with `+`. */
    up: (from: string, to: string) => `up, from place ${from} to ${to}`,
    down: (from: string, to: string) => `down, from place ${from} to ${to}`,
  },
  tour: {
    title: 'A returning shopper, in a minute',
    what: 'Plays a visitor of the simulator, whom the model has not met, in a recommender of its own. Your visit stays as it is.',
    play: 'Play',
    goOn: 'Go on',
    pause: 'Pause',
    next: 'Next click',
    end: 'End',
    loading: 'The earlier visits are learnt …',
    unknown: 'This shop’s model does not know what the visitor looks at.',
    before: ({ visits, visitors, opened }: VisitorFile, { events, gate }: LearningStatus) =>
      `Back for the ${visits.length}th time, after ${events} events. So far ${odds(gate.evidence)} says that what was learnt is better; at 5 : 1 it is used. That comes true, by the end of their last visit, for ${opened} of ${visitors} such visitors: this is one of them.`,
    now: ({ isOpen, evidence, base, tuned }: GateStatus, isOver: boolean) =>
      `${isOpen ? `Used from here on: the evidence has reached 5 : 1 (now ${odds(evidence)}).` : `Not used yet: the evidence is ${odds(evidence)}, and 5 : 1 is asked for.`} Mean reciprocal rank of all clicks: ${base.toFixed(3)} by the model alone, ${tuned.toFixed(3)} with what was learnt.${isOver ? ' The visit is over.' : ''}`,
    undone: 'Undone: the model alone suggests again, and the visit is still known.',
    columns: ['Click', 'Rank alone', 'learnt', 'Evidence'],
    odds: (evidence: number) => odds(evidence),
    suggested: 'Suggested to this shopper now',
  },
  models: {
    what: 'What the shop can run on. Choose another, and your visit goes on with it.',
    legend: 'Models',
    sideBySide: 'Side by side',
    compare: 'Compare',
    parameters: (count: number) => `${whole(count)} parameters`,
    tick: 'Tick two or more, and see what each would suggest for your visit. They are loaded then, and let go with this tab.',
    afterLooks: (looks: number, backend: string) =>
      `${
        looks === 0
          ? 'You have not looked at anything yet, so each says what is popular.'
          : `What each would suggest after the ${looks === 1 ? 'product' : `${looks} products`} that you looked at.`
      } Each computes in a worker of its own, on ${backend}.`,
    own: 'The shop runs on this one.',
    shares: (same: number, of: number, title: string) =>
      same === of
        ? `Shares all ${same} with ${title}.`
        : `Shares ${same} of ${of} with ${title}; the others are framed.`,
    /** Of models that count; networks go by their names. */
    architectures: {
      pop: 'popularity',
      's-pop': 'session popularity',
      markov: 'Markov chain',
      ar: 'association rules',
      sr: 'sequential rules',
    } as Readonly<Record<string, string>>,
  },
  engine: {
    backend: 'Backend',
    reasons: { neural: 'For you', related: 'Related', popular: 'Popular', recent: 'Recent' } as Readonly<
      Record<string, string>
    >,
    otherReason: 'Other',
    times: 'Time of each recommendation',
    model: 'Model',
    start: 'From the navigation to suggestions',
    document: 'The document is there',
    script: 'The shop’s script runs',
    suggestions: 'The first suggestions',
    earlier: 'On the pages before',
    pages: 'Pages of the shop',
    pagesChoice: { one: 'One document', many: 'A document each' },
    pagesText:
      'With a document each, as in most shops, every page starts cold: script, model and engine. The server then sees which page is opened, as any shop’s does; a visit that is not kept on this device starts over on each.',
    meanwhile: 'The shop works meanwhile.',
    notLoaded: 'The model could not be loaded',
    loading: (bytes: string | undefined) => `The model is loading${bytes === undefined ? '' : `: ${bytes}`}`,
    inWorker: (backend: string) => `${backend}, in a worker`,
    inPage: (backend: string) => `${backend}, in the page’s own thread`,
    notYet: 'Not loaded yet.',
    architecture: 'Architecture',
    products: 'Products',
    parameters: 'Parameters',
    memory: 'Memory of the weights',
    version: 'Name and version',
    none: 'None yet.',
    on: (items: number, backend: string | undefined) => `${items} on ${backend ?? 'nothing'}`,
    median: (answers: number, time: string) =>
      `${answers === 1 ? 'One recommendation' : `The last ${answers} recommendations`}, computed on this device. Median: ${time}.`,
  },
  degraded: {} as Readonly<Partial<Record<DegradationCode, string>>>,
  plugs: {
    what: 'Take away what the suggestions stand on, by real means, and watch them keep coming.',
    how: 'For this the page has wrapped fetch, Worker, requestDevice and getContext before the library started, which does not know of it.',
    gpu: 'Take the GPU away',
    gpuText: 'GPUDevice.destroy(), or WEBGL_lose_context, in the page and its workers: a driver that crashes.',
    noGpu: (backend: string) => `${backend} computes now, which needs no GPU.`,
    nothingLost: 'No device was found: the library had just let it go. Try again.',
    useGpu: 'Compute on the GPU first',
    worker: 'End the worker',
    workerText:
      'Worker.terminate(). No event tells of it: the library asks whether it lives, and starts another after at most 45 seconds of silence.',
    noWorker: 'No worker runs.',
    fill: 'Fill the storage',
    fillText: (most: string) => `Fills a cache until the browser refuses, at most ${most}.`,
    free: 'Free it again',
    filling: (bytes: string) => `${bytes} written …`,
    tooMuchRoom: (most: string) =>
      `This browser has taken ${most} and has room for more; they are deleted again. Set a smaller quota in the browser’s developer tools (Chrome: Application, Storage, “Simulate custom storage quota”), and try again.`,
    wipe: 'Wipe the storage',
    wipeText: 'indexedDB.deleteDatabase() for every database of this site, as clearing its data does.',
    notKept: 'Nothing of your visit is stored now. Keep your visits first, under “Your visit”.',
    policy: 'Reload under a policy',
    policyText:
      'What a policy forbids cannot be taken from a page while it runs, so it is opened again. A visit that is not kept on this device starts over.',
    policies: { '': 'None', workers: 'No workers', wasm: 'No WebAssembly either' },
    happened: 'What happened',
    nothing: 'Nothing yet.',
    did: {
      offline: 'The network is off.',
      online: 'The network is back.',
      gpu: 'The GPU was taken away.',
      worker: 'The worker was ended.',
      filled: (bytes: string) => `The storage is full: ${bytes} were written. Now look at a product.`,
      freed: 'The storage is free again.',
      wiped: (names: string) => `Deleted: ${names}.`,
      wipedNothing: 'There was no database to delete.',
      policy: (policy: string) => `The page was opened with this policy: ${policy}`,
    },
    now: (engine: string) => `Computed by: ${engine}.`,
    over: (message: string) => `Over: ${message}`,
    asking: 'Asking for suggestions …',
    answered: (items: number, time: string, engine: string) => `${items} suggestions after ${time}, by ${engine}.`,
    noAnswer: 'No suggestions came.',
    latest: (title: string) => `Then asked for: related to ${title}`,
  },
  network: {
    requested: 'What was requested',
    every: 'Every request',
    offline: 'Offline',
    offlineText:
      'Every fetch of this page and its workers fails, as without a network. What is still recommended comes from what was loaded before. (A page cannot stop scripts that the browser imports; for those use the browser’s own offline mode.)',
    online: 'Online. Once the model is here and the backends are tried, the shop asks for nothing more.',
    offlineState: (blocked: number) =>
      blocked === 0
        ? 'Offline. Nothing has asked for the network since.'
        : `Offline. ${blocked === 1 ? 'One request was' : `${blocked} requests were`} asked for and failed.`,
    cached: (count: number) => `${count} more ${count === 1 ? 'was' : 'were'} answered by the browser’s own cache.`,
    kinds: {
      page: 'Page and styles',
      script: 'Scripts',
      wasm: 'WebAssembly',
      model: 'Model',
      catalogue: 'Catalogue',
      picture: 'Pictures',
    },
    columns: ['Kind', 'Requests', 'Size', 'Transferred'],
    together: 'Together',
    save: 'Save as text',
    policy: 'The policy that enforces it',
    policyText:
      'Open the panel on your own shop’s model (aisle demo --artifact), look around, and send this header with your pages: the browser then refuses every other request, whatever a script wants.',
    ownOrigin: (count: number, host: string) => `All ${count} went to ${host}, this page’s own origin.`,
    elsewhere: (foreign: number, count: number) =>
      `${foreign} of ${count} went elsewhere, as the catalogue’s pictures may.`,
    staticFiles: 'They name static files, and none says what you looked at.',
    queried: (count: number) => `${count} carry a query: a version, as the shop’s files have it.`,
    sent: (bytes: string, requests: number, uncounted: number) =>
      `${bytes} sent, in the bodies and queries of ${requests} requests${uncounted === 0 ? '' : `, and ${uncounted} whose size no page is told`}.`,
    hidden: 'its host does not tell how large, or whether from the cache',
    fromCache: (size: string) => `${size}, from the browser’s cache`,
    from: { page: 'page', worker: 'worker' },
  },
};

export type PanelTexts = typeof PANEL_EN;
