/** The panel and its button. The panel is loaded when it is opened for the first time: a shop would not have it. */
import { h, textOf } from './dom';
import { icon } from './icons';
import type { Panel } from './panel/panel';
import type { PanelContext } from './panel/types';
import { text } from './texts';

/** @param failed Called with a sentence where it cannot be loaded; the next time it is tried again. */
export function panelLoader(parts: Omit<PanelContext, 'diary'>, failed: (why: string) => void) {
  let button = panelButton(press);
  let panel: Panel | undefined;
  let loading: Promise<Panel> | undefined;

  async function load(): Promise<Panel> {
    const { createPanel } = await import('./panel/panel');
    panel = await createPanel(parts, button, panel?.diary);
    panel.describe();
    return panel;
  }
  async function open(tab?: number): Promise<void> {
    try {
      loading ??= load();
      (await loading).open(tab);
    } catch (error) {
      loading = undefined;
      failed(textOf(error));
    }
  }
  function press(): void {
    if (panel?.tab !== undefined) panel.close();
    else void open();
  }
  if (parts.settings.without !== undefined) loading = load(); // it keeps a diary of what that changes

  return {
    get button() {
      return button;
    },
    open,
    /** Number of the tab that is open; undefined where none is. */
    get tab() {
      return panel?.tab;
    },
    describe: () => panel?.describe(),
    /** Goes on in the language of now. */
    async translate(): Promise<void> {
      const tab = panel?.tab;
      panel?.remove();
      button = panelButton(press);
      if (panel) loading = load();
      if (tab !== undefined) await open(tab);
    },
  };
}

function panelButton(press: () => void): HTMLButtonElement {
  return h(
    'button',
    {
      class: 'header-button',
      type: 'button',
      'aria-expanded': 'false',
      'aria-label': text.panel.title,
      on: { click: press },
    },
    icon('dial'),
    h('span', { class: 'header-label' }, text.panel.title),
  );
}
