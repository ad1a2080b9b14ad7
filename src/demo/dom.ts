/** Builds elements. Text goes in as text, never as markup: product titles come from other people's files. */

export type Child = Node | string | undefined | false;
type Props = {
  readonly class?: string;
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
  readonly [attribute: string]: unknown;
};

/**
 * An element with attributes, listeners (`on: { click }`) and children. `true` makes an empty attribute; `false` and
 * `undefined` leave the attribute, or child, out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === 'on') {
      for (const [type, listener] of Object.entries(value as NonNullable<Props['on']>)) {
        element.addEventListener(type, listener);
      }
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

/** A button that acts when it is pressed. */
export const button = (act: () => void, look: string, ...children: readonly Child[]): HTMLButtonElement =>
  h('button', { class: look, type: 'button', on: { click: act } }, ...children);

/** What an error says, for the visitor. */
export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Sets a text without touching the page where it already says that. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Hands a file to the visitor, from the page's own memory. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser has read it by then
}
