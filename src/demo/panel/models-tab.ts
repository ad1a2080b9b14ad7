/** The models that there are to choose from, and what several of them would suggest for the same visit. */
import type { BackendChoice } from '../../index';
import type { Comparison, Contender } from '../comparison';
import { h, setText, textOf } from '../dom';
import { tile } from '../product-grid';
import { href } from '../routes';
import { withSetting } from '../settings';
import { type Model, onSale, productOf, type Shop, sellSame } from '../shop';
import { architectureName } from './architecture-name';
import { bytes, milliseconds as time } from './controls';
import { text } from './texts';
import type { PanelContext, Tab } from './types';

/** Suggestions of each model side by side. */
const SHOWN = 6;

export function modelsTab({ shop, visit }: PanelContext): Tab {
  const compared = new Set<Model>();
  /** Loaded when something is to be compared. */
  let comparison: Comparison | undefined;
  let isLoading = false;
  const state = h('p', { class: 'hint', role: 'status' });
  const trouble = h('p', { class: 'trouble', role: 'alert', hidden: true });
  const rows = h('div', { class: 'contenders' });
  const comparable = shop.models.filter((model) => sellSame(model, shop.model));
  const lines = shop.models.map((model) =>
    modelLine(shop, model, use, comparable.length > 1 && comparable.includes(model) ? compare : undefined),
  );
  let isOpen = false;
  let shown = '';

  async function use(model: Model): Promise<void> {
    trouble.hidden = true;
    const address = withSetting(location.href, 'model', model.name);
    if (!sellSame(model, shop.model)) {
      location.assign(address); // another catalogue is another shop
      return;
    }
    try {
      await shop.use(model);
      history.replaceState(history.state, '', address);
      await visit.restart();
    } catch (error) {
      setText(trouble, textOf(error));
      trouble.hidden = false;
    }
    describe();
  }

  function compare(model: Model, isWanted: boolean): void {
    if (isWanted) compared.add(model);
    else compared.delete(model);
    describe();
  }

  async function load(): Promise<void> {
    isLoading = true;
    try {
      const { openComparison } = await import('../comparison');
      comparison = openComparison(describe);
      describe();
    } catch (error) {
      setText(trouble, textOf(error));
      trouble.hidden = false;
    }
    isLoading = false; // where it failed, the next change tries again
  }

  function describe(): void {
    if (!isOpen) return;
    const chosen = shop.models.filter((model) => compared.has(model));
    const backend: BackendChoice = visit.status?.engine?.backend ?? visit.options.backend;
    const wanted = chosen.length < 2 ? [] : chosen; // one alone is what the shop shows
    if (wanted.length > 0 && !comparison && !isLoading) void load();
    comparison?.choose(wanted, { ...visit.options, backend });
    if (wanted.length > 0) comparison?.askAbout(visit).catch(() => {}); // what cannot be read of it, its own tab tells
    const contenders = comparison?.contenders ?? [];
    for (const line of lines) line.describe(contenders);
    setText(state, stateOf(chosen.length, visit.session.length, backend));
    const next = JSON.stringify(contenders.map(({ model, items, failure }) => [model.name, items, failure]));
    if (next === shown) {
      const times = rows.querySelectorAll('.since');
      for (const [i, contender] of contenders.entries()) setText(times[i]!, timeOf(contender));
      return;
    }
    shown = next; // redrawn only if it has changed: the focus may be in it
    rows.replaceChildren(...contenders.map((contender) => row(shop, contender, contenders)));
  }

  return {
    name: text.frame.tabs.models,
    element: h(
      'div',
      {},
      h('p', { class: 'hint' }, text.models.what),
      trouble,
      h(
        'fieldset',
        { class: 'models' },
        h('legend', { class: 'unseen' }, text.models.legend),
        h('ul', {}, ...lines.map(({ element }) => element)),
      ),
      comparable.length > 1 && h('h3', {}, text.models.sideBySide),
      comparable.length > 1 && state,
      rows,
    ),
    describe() {
      isOpen = true;
      describe();
    },
    leave() {
      isOpen = false;
      comparison?.choose([], visit.options);
    },
  };
}

/**
 * A model with what is known of it, a button to choose it and one to compare it.
 *
 * @param compare Undefined where there is nothing to compare it with.
 */
function modelLine(
  shop: Shop,
  model: Model,
  use: (model: Model) => Promise<void>,
  compare: ((model: Model, isWanted: boolean) => void) | undefined,
) {
  const radio = h('input', { type: 'radio', name: 'model', on: { change: () => void use(model) } });
  const box = h('input', { type: 'checkbox', on: { change: () => compare?.(model, box.checked) } });
  const details = h('span', { class: 'model-details' });
  const element = h(
    'li',
    {},
    h('label', { class: 'model-choice' }, radio, h('span', {}, h('b', {}, titleOf(model)), details)),
    compare !== undefined &&
      h(
        'label',
        { class: 'model-compare' },
        box,
        h('span', {}, text.models.compare, h('span', { class: 'unseen' }, ` ${titleOf(model)}`)),
      ),
  );
  return {
    element,
    describe(contenders: readonly Contender[]): void {
      radio.checked = shop.model === model;
      const contender = contenders.find((candidate) => candidate.model === model);
      setText(details, detailsOf(model, contender?.milliseconds));
    },
  };
}

const titleOf = ({ title, name }: Model): string => title ?? name;

function detailsOf(model: Model, milliseconds: number | undefined): string {
  const { architecture, parameters, bytes: size } = model;
  const paper = architecture === undefined ? undefined : architectureName(architecture);
  return [
    paper === titleOf(model) ? undefined : paper,
    parameters === undefined ? undefined : text.models.parameters(parameters),
    size === undefined ? undefined : bytes(size),
    milliseconds === undefined ? undefined : time(milliseconds),
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
}

function stateOf(chosen: number, looks: number, backend: BackendChoice): string {
  return chosen < 2 ? text.models.tick : text.models.afterLooks(looks, text.frame.backends[backend]);
}

/** The best suggestions of one model in a row, and how many of them the shop's own model, or else the first, has too. */
function row(shop: Shop, contender: Contender, all: readonly Contender[]): HTMLElement {
  const { model } = contender;
  const reference = all.find((other) => other.model === shop.model) ?? all[0]!;
  const ids = bestOf(shop, contender);
  const note = noteOf(shop, contender, reference);
  const link = (id: string): HTMLElement => {
    const product = productOf(shop, id)!;
    const isNew = contender !== reference && reference.items && !bestOf(shop, reference).includes(id);
    return h(
      'li',
      {},
      h(
        'a',
        { href: href({ page: 'product', id }), title: product.title, ...(isNew && { class: 'is-own' }) },
        tile(product, product.title),
      ),
    );
  };
  return h(
    'section',
    { class: 'contender' },
    h('h4', {}, titleOf(model), h('span', { class: 'since' }, timeOf(contender))),
    note !== '' && h('p', { class: contender.failure === undefined ? 'hint' : 'trouble' }, note),
    h('ol', { class: 'contender-items' }, ...ids.map(link)),
  );
}

function noteOf(shop: Shop, contender: Contender, reference: Contender): string {
  if (contender.failure !== undefined) return contender.failure;
  if (contender.items === undefined) return text.frame.loading;
  if (contender.model === shop.model) return text.models.own;
  if (contender === reference || reference.items === undefined) return '';
  const ids = bestOf(shop, contender);
  const same = bestOf(shop, reference).filter((id) => ids.includes(id)).length;
  return text.models.shares(same, ids.length, titleOf(reference.model));
}

const timeOf = ({ milliseconds }: Contender): string => (milliseconds === undefined ? '' : time(milliseconds));

/** What a shop would show of the answer: products on sale. */
const bestOf = (shop: Shop, { items = [] }: Contender): string[] => onSale(shop, items).slice(0, SHOWN);
