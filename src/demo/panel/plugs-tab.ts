/** What the suggestions stand on, to be taken away by real means; and what then happens. */
import { button, h, setText, textOf } from '../dom';
import { tile } from '../product-grid';
import { href } from '../routes';
import { withSetting } from '../settings';
import { onSale, productOf } from '../shop';
import { fillStorage, freeStorage, isFilled, MOST, wipeStorage } from '../storage';
import { locale } from '../texts';
import { bytes, choice, toggle } from './controls';
import { engineName } from './engine-name';
import { text } from './texts';
import type { PanelContext, Tab } from './types';

const GPU = ['webgpu', 'webgl'] as const;
/** Suggestions that are shown. */
const SHOWN = 6;

export function plugsTab({ shop, visit, network, diary, settings }: PanelContext): Tab {
  const now = h('p', { class: 'engine-name' });
  const place = h('p', { class: 'hint' });
  const latest = h('section', {});
  const list = h('ol', { class: 'diary' });
  let drawn = '';

  const offline = toggle(text.network.offline, text.network.offlineText, (on) => {
    network.offline = on;
    if (!on && visit.failure !== undefined) visit.restart().catch(() => {}); // the engine's tab tells how it went
    void diary.act(on ? text.plugs.did.offline : text.plugs.did.online);
  });
  const gpu = plug(text.plugs.gpu, text.plugs.gpuText, async () => {
    if (!hasGpu()) await computeOn('GPUAdapter' in globalThis ? 'webgpu' : 'webgl');
    else if (await network.loseGpu()) await diary.act(text.plugs.did.gpu);
    else throw new Error(text.plugs.nothingLost);
  });
  const worker = plug(text.plugs.worker, text.plugs.workerText, () => {
    network.endWorkers();
    return diary.act(text.plugs.did.worker);
  });
  const fill = plug(text.plugs.fill, text.plugs.fillText(bytes(MOST)), async () => {
    if (isFilled()) {
      await freeStorage();
      return diary.act(text.plugs.did.freed);
    }
    const written = await fillStorage((so) => fill.say(text.plugs.filling(bytes(so))));
    if (written === 0) throw new Error(text.plugs.tooMuchRoom(bytes(MOST)));
    return diary.act(text.plugs.did.filled(bytes(written)));
  });
  const wipe = plug(text.plugs.wipe, text.plugs.wipeText, async () => {
    const names = await wipeStorage();
    return diary.act(names.length === 0 ? text.plugs.did.wipedNothing : text.plugs.did.wiped(names.join(', ')));
  });
  const policy = choice(text.plugs.policy, text.plugs.policies, (name) =>
    location.assign(withSetting(location.href, 'without', name)),
  );

  if (!isFilled()) freeStorage().catch(() => {}); // left by a page that was closed; a browser without storage has nothing to free

  const hasGpu = (): boolean => GPU.some((name) => name === visit.status?.engine?.backend);
  async function computeOn(backend: (typeof GPU)[number]): Promise<void> {
    history.replaceState(history.state, '', withSetting(location.href, 'backend', backend));
    await visit.restart({ backend });
  }

  function describe(): void {
    const { status } = visit;
    const isStored = status?.storage === 'indexeddb';
    setText(now, engineName(visit));
    setText(place, text.visit.places[status?.storage ?? 'memory']);
    offline.querySelector('input')!.checked = network.offline;
    const backend = status?.engine && text.frame.backends[status.engine.backend];
    gpu.show(
      hasGpu() ? text.plugs.gpu : text.plugs.useGpu,
      hasGpu() || backend === undefined ? '' : text.plugs.noGpu(backend),
      backend !== undefined,
    );
    worker.show(text.plugs.worker, network.hasWorkers ? '' : text.plugs.noWorker, network.hasWorkers);
    fill.show(
      isFilled() ? text.plugs.free : text.plugs.fill,
      isStored || isFilled() ? '' : text.plugs.notKept,
      isStored || isFilled(),
    );
    wipe.show(text.plugs.wipe, isStored ? '' : text.plugs.notKept, isStored);
    policy.show(settings.without ?? '');
    const next = JSON.stringify(diary.entries);
    if (next === drawn) return;
    drawn = next; // redrawn only if it has changed: the focus may be in it
    const lines = [...diary.entries]
      .reverse()
      .map(({ time, kind, text: words, why }) =>
        h(
          'li',
          { class: `is-${kind}` },
          h('time', {}, new Date(time).toLocaleTimeString(locale)),
          h('span', {}, words, why !== undefined && h('span', { class: 'hint', lang: 'en' }, ` ${why}`)),
        ),
      );
    list.replaceChildren(...(lines.length > 0 ? lines : [h('li', {}, text.plugs.nothing)]));
    const ids = onSale(shop, diary.suggested.items).slice(0, SHOWN);
    latest.hidden = ids.length === 0;
    latest.replaceChildren(
      h('h3', {}, text.plugs.latest(diary.suggested.title)),
      h('ol', { class: 'contender-items' }, ...ids.map((id) => suggestion(id))),
    );
  }

  function suggestion(id: string): HTMLElement {
    const product = productOf(shop, id)!;
    return h(
      'li',
      {},
      h('a', { href: href({ page: 'product', id }), title: product.title }, tile(product, product.title)),
    );
  }

  return {
    name: text.frame.tabs.plugs,
    describe,
    element: h(
      'div',
      {},
      h('p', {}, text.plugs.what),
      h('div', { class: 'engine-card', role: 'status' }, now, place),
      latest,
      h(
        'ul',
        { class: 'plugs' },
        h('li', {}, offline),
        ...[gpu, worker, fill, wipe].map(({ element }) => element),
        h('li', {}, policy.element, h('span', { class: 'hint' }, text.plugs.policyText)),
      ),
      h('h3', {}, text.plugs.happened),
      h('div', { role: 'log' }, list),
      h('p', { class: 'hint' }, text.plugs.how),
    ),
  };
}

/** Something to take away by a button, which says so where that is not possible. */
function plug(name: string, words: string, pull: () => Promise<void>) {
  const note = h('span', { class: 'hint', role: 'status' });
  const act = button(() => void attempt(), 'button small', name);
  let isRunning = false;
  let isPossible = false;
  let trouble = '';

  async function attempt(): Promise<void> {
    isRunning = true;
    trouble = '';
    act.disabled = true;
    try {
      await pull();
    } catch (error) {
      trouble = textOf(error);
      setText(note, trouble);
    }
    isRunning = false;
    act.disabled = !isPossible;
  }
  return {
    element: h(
      'li',
      { class: 'plug' },
      h('span', {}, h('b', {}, name), h('span', { class: 'hint' }, words), note),
      act,
    ),
    /** What is being done. */
    say: (progress: string): void => setText(note, progress),
    /** @param why It is not possible, in words. */
    show(label: string, why: string, can: boolean): void {
      isPossible = can;
      if (isRunning) return;
      setText(act, label);
      setText(note, trouble || why);
      act.disabled = !can;
    },
  };
}
