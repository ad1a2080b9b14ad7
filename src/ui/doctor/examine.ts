/** What is so in this page: gathers the facts, from which `findings.ts` concludes. */

import { isAvailable } from '../../checkpoint/artifact';
import { loadedFiles } from '../../engine/diagnosis';
import type { LoadedFile } from '../../engine/types';
import { addressOf } from '../../page/address';
import type { PageProduct } from '../../page/page-product';
import { VERSION } from '../../pipeline/version';
import type { Recommender } from '../../recommender/types';
import { linkOf } from '../links';
import type { Host, PageOptions, Slot } from '../types';
import { readConsentFacts } from './consent';
import { conclude } from './findings';
import { reportOf } from './report';
import type { CatalogueFacts, Examination, SlotFacts, Violation } from './types';

/** Most products that are looked at. */
const MAX_PRODUCTS = 10_000;

/** What the page runs. */
export interface Patient {
  readonly recommender: Recommender;
  readonly options: PageOptions;
  readonly product: Pick<PageProduct, 'candidates'>;
  readonly slots: Pick<typeof import('../slots'), 'eventOf'>;
  /** What a slot of this strategy is asked for, by the visitor’s variant. */
  strategyFor(strategy: string): string;
}

/** Names of the built files: the folder may be one that a platform fills with other files, too. */
const BUILT = /^(embed|worker|[\w.-]+-[\w-]{7,8})\.(js|wasm)(\?|$)/;

/** Whether an address is of a file of Aisle, beside this script, or of the model. */
export function isOurs(url: string, modelUrl: string | undefined): boolean {
  const folder = import.meta.url.replace(/[^/]*$/, '');
  if (url.startsWith(folder) && BUILT.test(url.slice(folder.length))) return true;
  if (modelUrl === undefined || !URL.canParse(modelUrl, document.baseURI)) return false;
  const { origin, pathname } = new URL(modelUrl, document.baseURI);
  const [start = ''] = pathname.split('%7Bfile%7D');
  return url.startsWith(origin + (start === pathname ? start.replace(/\/?$/, '/') : start));
}

/** @param patient Undefined where nothing runs: the options are wrong, or it was stopped. */
export async function examine(
  host: Host,
  patient: Patient | undefined,
  violations: readonly Violation[],
): Promise<Examination> {
  const layer = patient === undefined ? [] : entriesOf(host, patient.options.dataLayer);
  const status = patient?.recommender.status;
  const [product, files, catalogue, consent] = await Promise.all([
    productOf(patient),
    filesOf(patient),
    catalogueOf(patient).catch(() => undefined), // a lost engine: `status` says so
    readConsentFacts(layer),
  ]);
  const events = layer.flatMap((entry) => {
    try {
      const { event, ids } = patient!.slots.eventOf(entry) ?? {};
      return event === undefined ? [] : [{ event, ids: ids! }];
    } catch {
      return []; // an entry that throws when it is read
    }
  });
  const facts = {
    version: VERSION,
    product,
    dataLayer: { events, others: layer.length - events.length },
    ids: status?.ids ?? { known: 0, unknown: 0, examples: [] },
    consent: { answer: status?.consent ?? 'unknown', by: status?.consentBy ?? {}, types: consent.types ?? {} },
    engine: status?.engine,
    model: status?.model,
    catalogue,
    slots: [...host.slots].map((slot) => slotFacts(slot, patient)),
    storage: status?.storage ?? 'memory',
    violations,
    files,
    degraded: status?.degraded ?? [],
    console: [...host.problems.values()],
  } satisfies Omit<Examination, 'findings' | 'report'>;
  const findings = conclude(facts, {
    isRunning: patient !== undefined,
    paused: status?.paused ?? false,
    options: patient?.options,
    consent,
  });
  const found = { ...facts, findings };
  return { ...found, report: reportOf(found) };
}

/** The entries of the page's data layer, and of the one that was there when the embed ran. */
function entriesOf({ early }: Host, name: string): unknown[] {
  const now = (globalThis as unknown as Record<string, unknown>)[name];
  return [...new Set([early.layer, now].flatMap((layer) => (Array.isArray(layer) ? (layer as unknown[]) : [])))];
}

async function productOf(patient: Patient | undefined): Promise<Examination['product']> {
  const candidates = patient?.product.candidates() ?? [];
  const [first] = candidates;
  if (patient === undefined || first === undefined || patient.recommender.status.model === undefined) {
    return {
      candidates: candidates.map((candidate) => ({ ...candidate, item: null })),
      item: null,
      nearest: undefined,
    };
  }
  const { recommender } = patient;
  const itemOf = (list: typeof candidates) => recommender.identify(list).catch(() => null); // as above
  const [item, ...items] = await Promise.all([candidates, ...candidates.map((one) => [one])].map(itemOf));
  const found = candidates.map((candidate, i) => ({ ...candidate, item: items[i] ?? null }));
  const nearest = item == null ? (await diagnosed(recommender, first.id))?.nearest : undefined;
  return { candidates: found, item: item ?? null, nearest };
}

const diagnosed = (recommender: Recommender, id: string) => recommender.diagnose(id).catch(() => undefined); // as above

async function filesOf(patient: Patient | undefined): Promise<Examination['files']> {
  const { recommender, options } = patient ?? {};
  const ofPage = loadedFiles().filter(({ url }) => isOurs(url, options?.recommender.modelUrl));
  const isApart = recommender?.status.engine?.thread === 'worker';
  const all: LoadedFile[] = isApart ? [...ofPage, ...((await diagnosed(recommender, ''))?.files ?? [])] : ofPage;
  const sum = (of: 'bytes' | 'decodedBytes') => all.reduce((total, file) => total + file[of], 0);
  return {
    count: all.length,
    bytes: sum('bytes'),
    decodedBytes: sum('decodedBytes'),
    failed: all.flatMap(({ url, status }) => (status >= 400 ? `${url} (${status})` : [])),
  };
}

/** Each catalogue is fetched from the engine once, by its status, or by the recommender where it is the model's own. */
const catalogues = new WeakMap<object, ReturnType<Recommender['catalogue']>>();

async function catalogueOf(patient: Patient | undefined): Promise<CatalogueFacts | undefined> {
  if (patient?.recommender.status.model === undefined) return undefined;
  const { recommender, options } = patient;
  const key = recommender.status.catalogue ?? recommender;
  const products = catalogues.get(key) ?? recommender.catalogue();
  catalogues.set(key, products);
  products.catch(() => catalogues.delete(key)); // the next look tries again
  const all = (await products).slice(0, MAX_PRODUCTS);
  const withoutPicture = all.filter(({ image }) => image === undefined).length;
  const count = { products: all.length, soldOut: 0, leftOut: 0, withoutLink: 0, sameLink: 0, withoutPicture };
  /** How many products have an address, and whether it has a fragment. */
  const pages = new Map<string, number>();
  const places: string[] = [];
  for (const known of all) {
    try {
      const product = isAvailable(known) ? options.product(known) : null;
      if (product === null) count.soldOut++;
      else if (product === undefined) count.leftOut++;
      else {
        const link = linkOf(product, options);
        if (link === undefined) count.withoutLink++;
        else {
          const page = addressOf(link);
          pages.set(page, (pages.get(page) ?? 0) + 1);
          if (page !== link) places.push(page);
        }
      }
    } catch {
      count.leftOut++; // the shop's function has thrown
    }
  }
  return { ...count, sameLink: places.filter((page) => pages.get(page)! > 1).length };
}

function slotFacts({ element, suggestions, strategy, limit }: Slot, patient: Patient | undefined): SlotFacts {
  const state = element.getAttribute('data-aisle-state') ?? 'loading';
  const variant = patient?.strategyFor(strategy) ?? strategy;
  const item = element.getAttribute('item');
  const more = { ...(variant !== strategy && { variant }), ...(item && { item }) };
  return { state, strategy, ...more, asked: limit, shown: suggestions.length };
}
