/** A tab whose script is loaded when it is opened for the first time. */
import { h, setText, textOf } from '../dom';
import type { Tab } from './types';

/** @param load Called again the next time where it has failed. */
export function lazyTab(name: string, load: () => Promise<Tab>): Tab {
  const note = h('p', { class: 'hint', role: 'status' });
  const element = h('div', {}, note);
  let tab: Tab | undefined;
  let isLoading = false;
  let isOpen = false;

  async function fill(): Promise<void> {
    isLoading = true;
    setText(note, 'Loading …');
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
