// biome-ignore-all lint/suspicious/noExplicitAny: what is replaced may be anything.
/** Runs in a page before its other scripts: replaces what the page's realm offers, one function at a time, and says what comes of it. */

/** A function that is replaced throws, returns another value of the same type, or does and returns nothing. */
export type Mode = 'throws' | 'lies' | 'idle';

export interface Outcome {
  /** What went wrong while the function was replaced, or is wrong since. */
  readonly faults: readonly string[];
  /** Whether the event that was tracked meanwhile is stored. */
  readonly isStored: boolean;
}

export interface Attacks {
  /** What can be replaced: functions, and getters of properties, such as `Array.prototype.map`. */
  readonly targets: readonly string[];
  /** Call it once, when the page shows suggestions. */
  begin(): Promise<void>;
  /**
   * Replaces a function; then tracks a product, asks for suggestions and has the store read again, puts the function back, and waits
   * until all is sound.
   */
  attack(target: string, mode: Mode): Promise<Outcome>;
}

const OF_LANGUAGE =
  'Object Function Array String Number Symbol Math JSON Reflect Promise Map Set WeakMap WeakSet RegExp Date Error ArrayBuffer Uint8Array';
const OF_WEB = `EventTarget Event CustomEvent MessageEvent MessagePort Worker BroadcastChannel AbortController AbortSignal URL Blob
  IDBFactory IDBDatabase IDBTransaction IDBObjectStore IDBRequest IDBKeyRange Storage Node Element HTMLElement Document
  DocumentFragment DOMTokenList CSSStyleSheet ShadowRoot IntersectionObserver MutationObserver MediaQueryList Navigator LockManager
  Crypto CustomElementRegistry Performance`;
const GLOBALS = `setTimeout clearTimeout setInterval clearInterval queueMicrotask structuredClone fetch postMessage requestIdleCallback
  requestAnimationFrame addEventListener removeEventListener dispatchEvent matchMedia`;
/** What the page is prepared with: `prepareAttacks` is sent to it as text. */
export const REALM = { constructors: `${OF_LANGUAGE} ${OF_WEB}`.split(/\s+/), globals: GLOBALS.split(/\s+/) };

export function prepareAttacks({ constructors, globals }: typeof REALM): void {
  /** Milliseconds in which the function stays replaced, if there is no answer before. */
  const REPLACED = 60;
  /** Milliseconds in which all must be sound again: a request of the database that never ends has a deadline of 3 s. */
  const MENDED = 10_000;

  // As they are now: what follows must work while one of them is replaced.
  const { apply, construct, ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty } = Reflect;
  const { stringify } = JSON;
  const { isArray } = Array;
  const OwnPromise = Promise;
  const page = globalThis as any;
  const later = page.setTimeout;
  const clock = Date.now;
  const getAll = IDBObjectStore.prototype.getAll;
  const range = IDBKeyRange.bound('e2/', 'e2/\uffff');
  const { open } = indexedDB;
  const channel = new BroadcastChannel('aisle');
  const readAgain = channel.postMessage.bind(channel, { epoch: 'another', events: [] });
  const pause = (ms: number) => new OwnPromise<void>((resolve) => later(resolve, ms));

  const homes: Record<string, object> = {
    'Array iterator': getPrototypeOf([].values())!,
    'Map iterator': getPrototypeOf(new Map().values())!,
    'Set iterator': getPrototypeOf(new Set().values())!,
    'Typed array': getPrototypeOf(Uint8Array.prototype)!,
    'Intl.NumberFormat.prototype': Intl.NumberFormat.prototype,
  };
  for (const name of constructors) {
    homes[name] = page[name];
    if (page[name].prototype) homes[`${name}.prototype`] = page[name].prototype;
  }
  const targets: string[] = [];
  const places: Record<string, readonly [home: object, key: PropertyKey, found: PropertyDescriptor]> = {};
  function offer(name: string, home: object, key: PropertyKey): void {
    const found = getOwnPropertyDescriptor(home, key);
    if (!found?.configurable || key === 'constructor' || typeof (found.get ?? found.value) !== 'function') return;
    const target = name + (typeof key === 'symbol' ? `[${key.description}]` : `.${String(key)}`);
    if (places[target]) return;
    places[target] = [home, key, found];
    targets.push(target);
  }
  for (const [name, home] of Object.entries(homes)) for (const key of ownKeys(home)) offer(name, home, key);
  for (const name of [...constructors, ...globals])
    offer('globalThis', Object.hasOwn(page, name) ? page : EventTarget.prototype, name);

  function falsified(value: any): unknown {
    if (isArray(value)) return [];
    if (typeof value === 'string') return 'a lie';
    if (typeof value === 'number') return 2 * value + 1;
    if (typeof value === 'boolean') return !value;
    if (typeof value === 'function') return () => {};
    if (typeof value?.done === 'boolean') return { done: true }; // else a loop would not end
    return typeof value === 'object' && value !== null ? {} : undefined;
  }
  function replacement(original: any, mode: Mode): unknown {
    return function (this: unknown, ...args: unknown[]): unknown {
      if (mode === 'throws') throw new TypeError('broken by the page');
      if (mode === 'idle') return undefined;
      return falsified(new.target ? construct(original, args, new.target) : apply(original, this, args));
    };
  }
  /** @returns Puts it back. */
  function replace(target: string, mode: Mode): () => void {
    const [home, key, found] = places[target]!;
    const by = replacement(found.get ?? found.value, mode);
    const change = found.get ? { configurable: true, set: found.set, get: by } : { ...found, value: by };
    defineProperty(home, key, change as PropertyDescriptor);
    return () => void defineProperty(home, key, found);
  }

  let thrown: string[] = [];
  page.addEventListener('error', ({ message, error }: ErrorEvent) => {
    thrown[thrown.length] = `thrown into the page: ${error?.stack ?? message}`;
  });
  page.addEventListener('unhandledrejection', ({ reason }: PromiseRejectionEvent) => {
    thrown[thrown.length] = `a rejection left over: ${reason?.stack ?? reason}`;
  });

  /** The value of some work, or its error; undefined if that takes longer. */
  async function within<T>(ms: number, work: Promise<T>): Promise<T | unknown> {
    let value: unknown;
    let isOver = false;
    void (async () => {
      try {
        value = await work;
      } catch (error) {
        value = error;
      }
      isOver = true;
    })();
    const end = clock() + ms;
    while (!isOver && clock() < end) await pause(5);
    return value;
  }
  /** Waits until there is nothing wrong. @returns What is wrong in the end. */
  async function settled(wrong: () => Promise<string | undefined>): Promise<string[]> {
    const end = clock() + MENDED;
    for (;;) {
      const found = await within(
        MENDED,
        wrong().catch((error) => `${error?.stack ?? error}`),
      );
      if (found === undefined) return [];
      if (clock() > end) return [String(found)];
      await pause(20);
    }
  }

  const inStore = () =>
    new OwnPromise<string[]>((resolve) => {
      const request = apply(open, indexedDB, ['aisle']) as IDBOpenDBRequest;
      request.onsuccess = () => {
        const database = request.result;
        const read: IDBRequest<{ rows: unknown[][] }[]> = apply(
          getAll,
          database.transaction('records').objectStore('records'),
          [range],
        );
        read.onsuccess = () => {
          database.close();
          resolve(read.result.flatMap(({ rows }) => rows.map(([, , id]) => String(id))));
        };
      };
    });
  const answer = async () => {
    const items = await page.aisle.recommender.recommend({ k: 5, strategy: 'popular' });
    return stringify(items.map(({ itemId, score }: any) => [itemId, score]));
  };
  const shown = async () => {
    const slot = document.querySelector('aisle-recommendations')!;
    const { length } = slot.shadowRoot!.querySelectorAll('a');
    const state = slot.getAttribute('data-aisle-state');
    return state === 'ready' && length === 8 ? undefined : `the slot is ${state}, with ${length} links`;
  };

  /** How often the slots were planned. */
  let plans = 0;
  const planning = new MutationObserver(() => void plans++);
  let reference = '';
  let count = 0;
  const tracked: Record<string, true> = {};
  const acknowledged: Record<string, true> = {};
  function track(): string {
    const id = `id-${++count}`;
    tracked[id] = true;
    page.aisle.push(['track', id], ['refresh']);
    return id;
  }
  const kept = async () => {
    const ids = await inStore();
    const strange = ids.find((id) => !tracked[id]);
    if (strange !== undefined) return `"${strange}" is stored, which was never tracked`;
    const lost = Object.keys(acknowledged).find((id) => !ids.includes(id));
    return lost && `the stored event ${lost} is gone`;
  };

  const attacks: Attacks = {
    targets,
    async begin() {
      reference = await answer();
      const { shadowRoot } = document.querySelector('aisle-recommendations')!;
      planning.observe(shadowRoot!, { subtree: true, attributeFilter: ['aria-busy'] });
      page.aisle.recommender.on('stored', ({ events }: any) => {
        for (let i = 0; i < events.length; i++) acknowledged[events[i].itemId] = true;
      });
    },
    async attack(target, mode) {
      const { recommender } = page.aisle;
      const faults: string[] = [];
      thrown = [];
      const restore = replace(target, mode);
      let id = '';
      readAgain();
      try {
        id = track();
      } catch (error) {
        faults[0] = `push threw: ${error}`;
      }
      try {
        await within(REPLACED, recommender.recommend({ k: 5 }));
      } catch {
        // whoever calls is told
      }
      await pause(10);
      restore();
      faults.push(
        ...(await settled(async () => ((await answer()) === reference ? undefined : 'the answer stays wrong'))),
        ...(await settled(kept)),
      );
      const next = track();
      faults.push(...(await settled(async () => (acknowledged[next] ? undefined : 'nothing is stored any more'))));
      const before = plans;
      page.aisle.push(['refresh']);
      faults.push(
        ...(await settled(async () => (plans > before ? undefined : 'the slots are not refreshed any more'))),
        ...(await settled(shown)),
      );
      await pause(0);
      return { faults: [...faults, ...thrown], isStored: acknowledged[id] === true };
    },
  };
  page.attacks = attacks;
}
