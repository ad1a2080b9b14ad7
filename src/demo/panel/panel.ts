/** "Behind the counter": the visit as it is known, what computes, and what was requested. */

import { isBeside } from '../beside';
import { h, setText, textOf } from '../dom';
import { icon } from '../icons';
import { POLICIES } from '../policy';
import { text as shopText } from '../texts';
import { type Diary, openDiary } from './diary';
import { engineTab } from './engine-tab';
import { modelsTab } from './models-tab';
import { networkTab } from './network-tab';
import { followLanguage, text } from './texts';
import type { PanelContext, Tab } from './types';
import { visitTab } from './visit-tab';

export type Panel = ReturnType<typeof panel>;

/**
 * Makes the panel in the language of the shop.
 *
 * @param button Opens and closes it.
 * @param before The diary of the panel in another language.
 */
export async function createPanel(parts: Omit<PanelContext, 'diary'>, button: HTMLButtonElement, before?: Diary) {
  await followLanguage();
  const { shop, visit, network, settings } = parts;
  const diary = before ?? openDiary(shop, visit, network.changed);
  if (!before && settings.without !== undefined) void diary.act(text.plugs.did.policy(POLICIES[settings.without]));
  return panel({ ...parts, diary }, button);
}

function panel(context: PanelContext, button: HTMLButtonElement) {
  const tabs: readonly Tab[] = [
    visitTab(context),
    lazyTab(text.frame.tabs.learning, async () => (await import('./learning-tab')).learningTab(context)),
    modelsTab(context),
    engineTab(context),
    networkTab(context),
    lazyTab(text.frame.tabs.plugs, async () => (await import('./plugs-tab')).plugsTab(context)),
  ];
  let current = tabs[0]!;
  const buttons = tabs.map((tab, i) => {
    tab.element.id = `panel-${i}`;
    tab.element.setAttribute('role', 'tabpanel');
    tab.element.setAttribute('aria-labelledby', `panel-tab-${i}`);
    tab.element.tabIndex = 0;
    return h(
      'button',
      {
        id: `panel-tab-${i}`,
        type: 'button',
        role: 'tab',
        'aria-controls': tab.element.id,
        on: { click: () => select(tab) },
      },
      tab.name,
    );
  });
  const heading = h('h2', { id: 'panel-title', tabindex: -1 }, shopText.panel.title);
  const element = h(
    'dialog',
    { class: 'panel', 'aria-labelledby': heading.id },
    h(
      'div',
      { class: 'panel-head' },
      heading,
      h(
        'button',
        { class: 'round', type: 'button', 'aria-label': text.frame.close, on: { click: close } },
        icon('close'),
      ),
    ),
    h('div', { class: 'tabs', role: 'tablist', 'aria-labelledby': heading.id, on: { keydown: steer } }, ...buttons),
    h('div', { class: 'panel-body' }, ...tabs.map((tab) => tab.element)),
  );
  function select(tab: Tab): void {
    if (tab !== current) current.leave?.();
    current = tab;
    for (const [i, { element }] of tabs.entries()) {
      const isCurrent = tabs[i] === tab;
      element.hidden = !isCurrent;
      buttons[i]!.setAttribute('aria-selected', String(isCurrent));
      buttons[i]!.tabIndex = isCurrent ? 0 : -1;
    }
    tab.describe();
  }

  /** Arrow keys go from tab to tab: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ */
  function steer(event: Event): void {
    const { key } = event as KeyboardEvent;
    const at = tabs.indexOf(current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    select(tabs[next]!);
    buttons[next]!.focus();
  }

  /** @param tab Its number; default: the one that was open last. */
  function open(tab = tabs.indexOf(current)): void {
    if (element.open) return;
    if (isBeside()) {
      element.show();
      document.documentElement.classList.add('has-panel');
    } else element.showModal();
    button.setAttribute('aria-expanded', 'true');
    select(tabs[tab] ?? current);
    heading.focus();
  }
  function close(): void {
    element.close();
  }
  element.addEventListener('close', () => {
    current.leave?.();
    document.documentElement.classList.remove('has-panel');
    button.setAttribute('aria-expanded', 'false');
    button.focus();
  });
  // A dialog beside the page is not closed by Escape, unless the focus is in it.
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  // In front of the page, a link leads away from the panel; so does a click on the backdrop, whose target is the dialog.
  element.addEventListener('click', (event) => {
    if (!element.matches(':modal')) return;
    if (event.target === element || (event.target as Element).closest('a[href^="#/"]')) close();
  });
  document.body.append(element);
  select(current);

  return {
    diary: context.diary,
    open,
    close,
    describe(): void {
      context.diary.look();
      if (element.open) current.describe();
    },
    /** Number of the tab that is open; undefined where none is. */
    get tab(): number | undefined {
      return element.open ? tabs.indexOf(current) : undefined;
    },
    remove(): void {
      current.leave?.();
      element.remove();
      document.documentElement.classList.remove('has-panel');
    },
  };
}

/**
 * A tab whose script is loaded when it is opened for the first time.
 *
 * @param load Called again the next time if it failed.
 */
function lazyTab(name: string, load: () => Promise<Tab>): Tab {
  const note = h('p', { class: 'hint', role: 'status' });
  const element = h('div', {}, note);
  let tab: Tab | undefined;
  let isLoading = false;
  let isOpen = false;

  async function fill(): Promise<void> {
    isLoading = true;
    setText(note, text.frame.loading);
    try {
      tab = await load();
      element.replaceChildren(...tab.element.childNodes);
      if (isOpen) tab.describe();
    } catch (error) {
      setText(note, textOf(error));
    }
    isLoading = false;
  }

  return {
    name,
    element,
    describe() {
      if (tab) tab.describe();
      else if (!isOpen && !isLoading) void fill();
      isOpen = true;
    },
    leave() {
      isOpen = false;
      tab?.leave?.();
    },
  };
}
