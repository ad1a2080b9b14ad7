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
  const passphrase = node('input', 'passphrase', '', {
    type: 'password',
    id: 'passphrase',
    autocomplete: 'off',
    minlength: '8',
  }) as HTMLInputElement;
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
        const sealed = await taste.export(passphrase.value);
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
      async ({ taste }) => taste.import(new Uint8Array(await chosen.arrayBuffer()), passphrase.value),
      texts.opened,
      failed,
    );
    (file as HTMLInputElement).value = ''; // the same file may be chosen again
  });
  return node('details', 'taste', [
    node('summary', 'taste-title', texts.title),
    node('p', '', texts.hint),
    node('div', 'controls', [node('label', '', texts.passphrase, { for: 'passphrase' }), passphrase, save, open, file]),
  ]);
}
