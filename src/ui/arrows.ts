/** Buttons that scroll a row, for those who have no finger on it. Loaded if a wide window shows a row. */
import type { Host, Slot } from './types';

const CSS = `
.body { position: relative; }
button {
  position: absolute; z-index: 1; top: calc(var(--aisle-card-width, 10.5em) / 2); translate: 0 -50%; width: 2.5em; height: 2.5em;
  padding: 0; border: 1px solid; border-radius: 50%; font: inherit; background: Canvas; color: CanvasText; cursor: pointer;
}
.back { inset-inline-start: 0; }
.forward { inset-inline-end: 0; }
button:focus-visible { outline: 2px solid var(--aisle-focus-color, currentColor); outline-offset: 2px; }
button[hidden], .body:has(.quiet) button, :host([layout="grid"]) button { display: none; }
@media not (min-width: 48em) { button { display: none; } }
`;
const LABELS: Readonly<Record<string, readonly [back: string, forward: string]>> = {
  en: ['Previous products', 'Next products'],
  ko: ['이전 상품', '다음 상품'],
};
/** Pixels around the cards, past which a row is not scrolled by itself. */
const EDGE = 8;
/** How much of what is seen one press scrolls by. */
const SHARE = 0.8;

const updates = new WeakMap<Element, () => void>();

/** Shows, for each direction in which a slot's row goes on, its button. */
export function showArrows(host: Host, { frame, texts }: Slot): void {
  const list = frame.list!;
  const update = updates.get(list) ?? addArrows(host, list);
  updates.set(list, update);
  const buttons = list.parentElement!.querySelectorAll('button');
  const { lang } = texts.language;
  buttons.forEach((button, k) => {
    button.lang = lang;
    button.setAttribute('aria-label', (LABELS[lang] ?? LABELS['en']!)[k]!);
  });
  update();
}

function addArrows(host: Host, list: HTMLElement): () => void {
  // The signs are mirrored where the text runs from right to left.
  const buttons = (['back', 'forward'] as const).map((name, k) => {
    const sign = document.createTextNode(k === 0 ? '\u2039' : '\u203a');
    const button = host.node('button', { part: 'arrow', class: name, type: 'button' }, sign);
    button.addEventListener('click', () => {
      const isMirrored = getComputedStyle(list).direction === 'rtl';
      list.scrollBy({ left: (k === 0) === isMirrored ? width() : -width() });
    });
    return button;
  });
  const width = () => SHARE * list.clientWidth;
  function hideAtEnds(): void {
    const at = Math.abs(list.scrollLeft);
    const isAtEnd = [at < EDGE, at + list.clientWidth > list.scrollWidth - EDGE];
    const focused = buttons.findIndex((button) => button.matches(':focus'));
    buttons.forEach((button, k) => {
      button.hidden = isAtEnd[k]!;
    });
    if (isAtEnd[focused]) buttons[1 - focused]!.focus({ preventScroll: true });
  }
  host.applyStyles(list.getRootNode() as ShadowRoot, CSS);
  list.after(...buttons); // the keyboard comes to the products first
  const look = () => host.guard('Arrows', hideAtEnds); // some pages replace methods of arrays
  list.addEventListener('scroll', look, { passive: true });
  const observer = new ResizeObserver(look);
  // Observed again, it looks once the new cards have their places.
  return () => {
    observer.disconnect();
    observer.observe(list);
  };
}
