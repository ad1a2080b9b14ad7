/** What follows from the facts: what is so, and what to do. A pure function. */
import { STRATEGIES } from '../../recommender/arguments';
import type { DegradationCode } from '../../recommender/types';
import type { PageOptions } from '../types';
import { type ConsentFacts, explainConsent } from './consent';
import type { Examination, Finding, Severity, SlotFacts } from './types';

export interface Circumstances {
  /** Whether a recommender runs. */
  readonly isRunning: boolean;
  readonly paused: boolean;
  readonly options: PageOptions | undefined;
  readonly consent: Pick<ConsentFacts, 'types' | 'tcf' | 'shopify'>;
}

type Facts = Omit<Examination, 'findings' | 'report'>;

const CHECK = 'Run "aisle doctor URL": it checks each file’s status, type and content.';
const ORDER: readonly Severity[] = ['error', 'warning', 'ok'];

/** @returns The worst first. */
export function conclude(facts: Facts, circumstances: Circumstances): Finding[] {
  const { isRunning, options, consent, paused } = circumstances;
  const found: Finding[] = [];
  const add = (severity: Severity, code: string, what: string, todo?: string, detail?: string): void =>
    void found.push({ code, severity, what, ...(todo && { todo }), ...(detail && { detail }) });

  if (!isRunning) {
    const todo = 'Look at the console’s lines below: they name the option or file at fault.';
    add('error', 'not-running', 'Nothing runs: the options are wrong, a file is missing, or it was stopped.', todo);
  } else if (facts.model === undefined) {
    const todo = `Look at the console’s lines below. ${CHECK}`;
    add('error', 'no-model', 'The model is not loaded.', todo);
  }
  addPolicy(facts, add);
  addEngine(facts, options, add);
  if (isRunning) addProduct(facts, options, add);
  addCatalogue(facts, options, add);
  addSlots(facts, add);
  if (isRunning) {
    const { consent: option = 'auto', consentMap } = options?.recommender ?? {};
    const status = { consent: facts.consent.answer, consentBy: facts.consent.by, degraded: facts.degraded };
    found.push(...explainConsent({ status, option, consentMap, ...consent }));
    if (paused) add('ok', 'paused', 'The visitor has paused recording: nothing is tracked.');
  }
  if (facts.files.failed.length > 0) {
    const what = `${facts.files.failed.length} of the files answered with an error.`;
    add('error', 'files-failed', what, `Copy the whole folder. ${CHECK}`, facts.files.failed.join(', '));
  }
  for (const { code, message } of facts.degraded) {
    if (!Object.hasOwn(DEGRADED, code)) continue;
    const [what, todo] = DEGRADED[code as keyof typeof DEGRADED];
    add('warning', code, what, todo, message);
  }
  return found.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

type Add = (severity: Severity, code: string, what: string, todo?: string, detail?: string) => void;

/** Codes of `status.degraded` that have findings of their own. */
type Explained = 'no-worker' | 'unknown-ids' | 'consent-ignored' | 'consent-unread';
/** The others, in words that name nothing of the page. */
const DEGRADED: Readonly<Record<Exclude<DegradationCode, Explained>, readonly [what: string, todo?: string]>> = {
  'worker-restarted': ['The worker has crashed and was started again.'],
  'no-backend': ['The backend that was asked for does not work here; another one computes.', 'Leave data-backend out.'],
  'no-storage': ['The browser does not store: events wait in memory.'],
  'storage-full': ['The device has no room: events wait in memory.'],
  'storage-short': ['The oldest events were deleted: the device has no more space, or the visitor more than is kept.'],
  'events-refused': [
    'There were too many events within a minute: the later ones were not recorded.',
    'Look for a script of the page that tracks in a loop (docs/limits.md).',
  ],
  'records-set-aside': ['Some stored records could not be read and were set aside.'],
  'events-ahead': [
    'Some stored events are ahead of the device’s clock and are left out.',
    'Set the clock of the device.',
  ],
  'not-erased': ['The device has not confirmed that it erased what was stored.'],
  'learnt-set-aside': ['What was learnt cannot be used any more and was set aside.'],
  'learnt-not-stored': ['What was learnt could not be stored.'],
  'learning-failed': ['Learning on the device has failed.'],
  'catalogue-stale': [
    'The catalogue could not be read: the last good one shows the products, or the model’s own.',
    'Look at the address of data-catalogue-url, and write the folder again with "aisle catalogue".',
  ],
  'trials-failed': ['The fastest backend could not be found out.'],
  'no-strategy': [
    'The model lacks what the strategy of a slot needs.',
    'Train it again from a log with its kinds of events and times: both count for bought-together and trending.',
  ],
  'bad-rules': ['Rules of the shop are wrong or cannot be read, and are left out.', 'Mend rules.json (docs/slots.md).'],
};

function addPolicy({ violations }: Facts, add: Add): void {
  for (const [directive, todo] of Object.entries(POLICY)) {
    const blocked = violations.filter((violation) => violation.directive.startsWith(directive));
    if (blocked.length === 0) continue;
    const detail = blocked.map((violation) => `${violation.directive}: ${violation.blocked}`).join(', ');
    add(
      'warning',
      `policy-${directive}`,
      `The security policy has blocked something of Aisle by ${directive}.`,
      todo,
      detail,
    );
  }
}

/** What to add to each directive. */
const POLICY: Readonly<Record<string, string>> = {
  'worker-src': 'Add the origin of embed.js to worker-src; blob: too, if that is another origin than the page’s.',
  'script-src': "Add the origin of embed.js to script-src, and 'wasm-unsafe-eval' for speed.",
  'connect-src': 'Add the origins of embed.js, a model and a catalogue to connect-src.',
  'img-src': 'Add data: to img-src for pictures inside the model; with data-images="page", their hosts.',
  'style-src': 'Move the style of the slots from the markup into a style sheet of the shop (docs/security-policy.md).',
  'trusted-types': 'Add aisle to trusted-types.',
  'require-trusted-types-for': 'Add aisle to trusted-types.',
};

function addEngine({ engine, degraded, violations }: Facts, options: PageOptions | undefined, add: Add): void {
  const { message } = degraded.find(({ code }) => code === 'no-worker') ?? {};
  if (message !== undefined) {
    const isBlocked = violations.some(({ directive }) => /^(worker|child|script)-src|trusted-types/.test(directive));
    const [code, why, todo] = isBlocked
      ? ['worker-blocked', 'the security policy forbids it', 'See the security policy’s finding.']
      : (WORKER.find(([, pattern]) => pattern.test(message)) ?? WORKER.at(-1)!).filter(
          (part) => typeof part === 'string',
        );
    const what = `No worker could start, so the page’s own thread computes: ${why}.`;
    add('warning', code!, what, todo, message);
  }
  if (engine === undefined) return;
  const { backend, thread, why } = engine;
  const isSlow = backend === 'cpu' && options?.recommender.backend !== 'cpu';
  const where = `${NAMES[backend]} computes in ${thread === 'worker' ? 'a worker' : 'the page’s own thread'}.`;
  const todo = isSlow
    ? "WebAssembly may be forbidden: add 'wasm-unsafe-eval' to script-src of worker.js and of the page."
    : undefined;
  add(isSlow ? 'warning' : 'ok', isSlow ? 'slow-backend' : 'engine', where, todo, why);
}

const NAMES = {
  plan: 'A compiled plan',
  cpu: 'Plain CPU',
  wasm: 'WebAssembly',
  webgl: 'WebGL',
  webgpu: 'WebGPU',
} as const;
/** By the message of `no-worker`; the last one stands for all others. */
const WORKER: readonly (readonly [code: string, pattern: RegExp, why: string, todo: string])[] = [
  ['worker-none', /no workers here/, 'this browser has none', 'Nothing can be done.'],
  [
    'worker-late',
    /did not start within/,
    'it did not start in time',
    'Raise data-start-deadline if the network is slow.',
  ],
  ['worker-crashed', /crashed/, 'it crashed too often', 'Name another backend by data-backend.'],
  [
    'worker-missing',
    /could not be loaded/,
    'its script could not be loaded: it is missing, has a wrong type, or is of another version',
    `Copy the whole folder of embed.js; worker.js must be sent as text/javascript. ${CHECK}`,
  ],
  ['no-worker', /(?:)/, 'it failed', CHECK],
];

function addProduct(
  { product, ids, model, dataLayer, degraded }: Facts,
  options: PageOptions | undefined,
  add: Add,
): void {
  const { candidates, item, nearest } = product;
  const [first] = candidates;
  if (first === undefined) {
    const what =
      'The page shows no product: neither tag, command, markup nor data layer names one, or they name several.';
    add(
      'ok',
      'no-product',
      what,
      'On a product page, see docs/identity.md for what is read; data-item names the product.',
    );
  } else if (model !== undefined && item === null) {
    const isAddress = candidates.every(({ kind }) => kind === 'url');
    if (isAddress) add('ok', 'no-product', 'The page names no product but its address, which is none of the model’s.');
    else {
      const todo =
        'Train with the ids that the page says, add aliases, or name the product by data-item (docs/identity.md).';
      const detail = `The page says ${first.kind} "${first.id}", the model has "${nearest}", …`;
      add(
        'warning',
        'product-unknown',
        'The model knows none of the ids by which the page calls its product.',
        todo,
        detail,
      );
    }
  } else if (item !== null) {
    const at = candidates.findIndex((candidate) => candidate.item === item);
    const { kind, id, source } = candidates[at] ?? first;
    const what = `The model knows the page’s product, by candidate ${Math.max(at, 0) + 1} of ${candidates.length}.`;
    add('ok', 'product', what, undefined, `${kind} "${id}" of ${source} is item "${item}".`);
    const other = candidates.find(({ source, id, item }) => source === 'data-layer' && item !== null && item !== id);
    if (options?.analytics && other) {
      const what =
        'The data layer calls products otherwise than the model: GA4 cannot tell that what was chosen was bought.';
      const detail = `view_item has "${other.id}", select_item has "${other.item}".`;
      add('warning', 'analytics-ids', what, 'Train with the ids of the data layer (docs/ab-test.md).', detail);
    }
  }
  const all = ids.known + ids.unknown;
  const unknown = degraded.find(({ code }) => code === 'unknown-ids');
  if (all > 0) {
    const share = Math.round((100 * ids.known) / all);
    const what = `The model knows ${ids.known} of ${all} ids of this session (${share} %).`;
    const todo = ids.unknown > 0 ? 'Compare the spellings (docs/identity.md).' : undefined;
    add(unknown ? 'warning' : 'ok', 'ids', what, todo, unknown?.message ?? ids.why);
  } else if (options?.track === 'manual') {
    add(
      'ok',
      'manual',
      'Tracking is manual: only commands count; none came.',
      'Push ["track", id], or leave data-track out.',
    );
  }
  if (dataLayer.events.length + dataLayer.others === 0 && options?.track !== 'manual') {
    add('ok', 'data-layer', 'The data layer is empty.', 'If it has another name, set data-data-layer.');
  }
}

function addCatalogue({ catalogue }: Facts, options: PageOptions | undefined, add: Add): void {
  if (catalogue === undefined) return;
  const { products, soldOut, leftOut, withoutLink, sameLink, withoutPicture } = catalogue;
  if (products === 0) {
    const todo =
      'Train with --catalogue, so that cards have titles, links and pictures; data-item-url gives links alone.';
    add('warning', 'no-catalogue', 'The model has no catalogue: all that is known of products is their ids.', todo);
    return;
  }
  const severity = (count: number): Severity => (10 * count > products ? 'warning' : 'ok');
  if (withoutLink > 0) {
    const todo =
      'Name the hosts of product pages by data-allow-hosts; for products without an address set data-item-url.';
    add(severity(withoutLink), 'links', `${withoutLink} of ${products} products have no link that may be shown.`, todo);
  }
  if (sameLink > 0) {
    const what = `The links of ${sameLink} of ${products} products differ from those of others only behind "#": one page to the browser.`;
    const todo =
      'Give each product a path or a parameter of its own, or a route behind "#/"; else the views of a visit count as one.';
    add('warning', 'link-fragments', what, todo);
  }
  if (leftOut > 0) {
    add(severity(leftOut), 'left-out', `The page’s function product leaves out ${leftOut} of ${products} products.`);
  }
  if (withoutPicture > 0 && options?.recommender.images === undefined) {
    const what = `${withoutPicture} of ${products} products have no picture inside the catalogue: letters take its place.`;
    add(severity(withoutPicture), 'pictures', what, PICTURES);
  }
  if (soldOut > 0) add(severity(soldOut), 'sold-out', `${soldOut} of ${products} products are not available.`);
}

function addSlots(facts: Facts, add: Add): void {
  const { slots, model, product } = facts;
  if (slots.length === 0) {
    add(
      'ok',
      'no-slots',
      'The page has no slot.',
      'Put <aisle-recommendations></aisle-recommendations> where suggestions belong.',
    );
  }
  slots.forEach((slot, i) => {
    const name = `Slot ${i + 1}`;
    const { strategy, asked, shown, state } = slot;
    if (!STRATEGIES.some((known) => known === strategy)) {
      const todo = `Write one of ${STRATEGIES.join(', ')}.`;
      add('warning', 'slot-strategy', `${name} has a strategy that there is not; it shows for-you.`, todo, strategy);
    }
    if (model !== undefined && (slot.variant ?? strategy) === 'related' && product.item === null && !slot.item) {
      const what =
        `${name} relates to the product on show, and the page names none that the model knows: the visitor’s last click takes ` +
        'its place, or what is popular.';
      const todo =
        'On a product page, name the product by data-item (docs/identity.md); elsewhere write strategy="for-you", or item="ID".';
      add('warning', 'slot-related', what, todo);
    }
    if (state === 'ready') {
      add('ok', 'slot-ready', `${name} shows ${shown} of ${asked}.`);
    } else if (state === 'loading') {
      add(model === undefined ? 'warning' : 'ok', 'slot-loading', `${name} waits for its answer.`);
    } else if (state === 'empty') {
      const { severity = 'warning', why, todo } = emptyBecause(slot, facts);
      add(severity, 'slot-empty', `${name} is empty: ${why}.`, todo);
    } else {
      const [what, todo] = SLOT_ERRORS[state.replace(/^error-/, '')] ?? ['it failed', CHECK];
      add('error', 'slot-error', `${name} has failed: ${what}.`, todo);
    }
  });
}

function emptyBecause(
  { strategy, variant = strategy }: SlotFacts,
  { catalogue }: Facts,
): { readonly severity?: Severity; readonly why: string; readonly todo?: string } {
  if (variant === 'none') return { severity: 'ok', why: 'the visitor’s variant is none' };
  if (variant === 'recent') return { why: 'the visitor has looked at nothing else yet' };
  if (variant === 'bought-together' || variant === 'trending') {
    const why = `the log has nothing for ${variant} here, or it may not be shown`;
    return { why, todo: 'Let other strategies fill it up, such as fallback="related popular".' };
  }
  const { products = 0, soldOut = 0, leftOut = 0, withoutLink = 0 } = catalogue ?? {};
  const isAnyShown = products > soldOut + leftOut + withoutLink;
  return { why: isAnyShown ? 'all products are excluded or on show' : 'no product of the catalogue may be shown' };
}

/** `1 error, 0 warnings`. */
export function countsOf(findings: readonly { readonly severity: Severity }[]): string {
  const counts = (['error', 'warning'] as const).map((name) => {
    const count = findings.filter(({ severity }) => severity === name).length;
    return `${count} ${name}${count === 1 ? '' : 's'}`;
  });
  return counts.join(', ');
}

/** What to do where pictures are missing. */
export const PICTURES =
  'data-images="page" shows pictures that have addresses, whose host then sees what is shown; "none" makes cards without.';

/** By the error's code. */
export const SLOT_ERRORS: Readonly<Record<string, readonly [what: string, todo: string]>> = {
  options: ['an option is wrong', 'The console’s lines below name it.'],
  script: ['the rest of embed.js could not be loaded', 'Copy its whole folder.'],
  'bad-artifact': ['the model’s folder is damaged, incomplete, or not there', `Copy the whole folder again. ${CHECK}`],
  'weights-mismatch': ['the model’s weights do not fit its manifest', 'Copy the whole folder again.'],
  io: ['the model could not be fetched', `Check data-model-url, connect-src and CORS. ${CHECK}`],
  timeout: ['a step took too long', 'Look at the network of this device.'],
  'no-backend': ['no backend works here', 'Leave data-backend out.'],
  'engine-lost': ['the engine was lost', 'Reload the page.'],
  'not-finite': ['the model’s scores are not finite', 'Train the model again.'],
  'bad-input': ['a function of the page has thrown', 'The console’s lines below have its message.'],
  disposed: ['it was stopped', 'Push ["start", …] again.'],
};
