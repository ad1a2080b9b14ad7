/** What was learnt, taken to another browser of the same visitor: a file that only a passphrase opens. */
import type { Recommender } from '../../recommender/types';
import type { Host } from '../types';
import { saveFile } from './save-file';
import type { PanelTexts } from './texts';

/** Makes an element of the panel. */
type Node = (
  tag: string,
  part: string,
  text?: string | HTMLElement[],
  attributes?: Record<string, string>,
) => HTMLElement;
/** Carries out an action of the visitor; `failed` says why it did not work. */
type Act = (
  work: (recommender: Recommender) => Promise<unknown>,
  done: string,
  failed: (error: unknown) => string,
) => void;

export function tasteBox(host: Pick<Host, 'node'>, node: Node, texts: PanelTexts['taste'], act: Act): HTMLElement {
  const passphrase = passphraseField(node);
  const save = node('button', 'save', texts.save, { type: 'button' });
  const open = node('button', 'open', texts.open, { type: 'button' });
  const file = node('input', 'file', '', { type: 'file', accept: '.aisle', tabindex: '-1', 'aria-label': texts.open });
  file.hidden = true;

  const failed = (error: unknown): string => {
    if (error instanceof RangeError) return texts.failed['passphrase'];
    const { code } = error as { code?: string };
    return texts.failed[code as keyof PanelTexts['taste']['failed']] ?? texts.failed.otherwise;
  };
  save.addEventListener('click', () => {
    act(
      async ({ taste }) => {
        const sealed = await taste.export(passphrase.text());
        saveFile(host, 'my-taste.aisle', 'application/octet-stream', sealed as Uint8Array<ArrayBuffer>);
      },
      texts.saved,
      failed,
    );
  });
  open.addEventListener('click', () => file.click());
  file.addEventListener('change', () => {
    const [chosen] = (file as HTMLInputElement).files ?? [];
    if (chosen === undefined) return;
    act(
      async ({ taste }) => taste.import(new Uint8Array(await chosen.arrayBuffer()), passphrase.text()),
      texts.opened,
      failed,
    );
    (file as HTMLInputElement).value = ''; // the same file may be chosen again
  });
  const label = node('label', '', texts.passphrase, { for: 'passphrase', id: 'label' });
  label.addEventListener('click', () => passphrase.element.focus());
  return node('details', 'taste', [
    node('summary', 'taste-title', texts.title),
    node('p', '', texts.hint),
    node('div', 'controls', [label, passphrase.element, save, open, file]),
  ]);
}

/**
 * A field that hides what is typed. For a page with any `<input>` for text Chromium asks its makers how to fill it, so it is an
 * editable element; a browser that cannot keep that to plain text asks nobody, and has an `<input>`.
 */
function passphraseField(node: Node): { readonly element: HTMLElement; text(): string } {
  const element = node('span', 'passphrase', '', {
    role: 'textbox',
    tabindex: '0',
    'aria-labelledby': 'label',
    spellcheck: 'false',
    autocapitalize: 'off',
    translate: 'no',
  });
  try {
    element.contentEditable = 'plaintext-only';
  } catch {
    const attributes = { type: 'password', id: 'passphrase', autocomplete: 'off' };
    const input = node('input', 'passphrase', '', attributes) as HTMLInputElement;
    return { element: input, text: () => input.value };
  }
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') event.preventDefault(); // it has one line
  });
  // What is pasted may have line breaks.
  return { element, text: () => element.textContent.replace(/[\r\n]/g, '') };
}
