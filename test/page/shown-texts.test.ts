/** Texts of a catalogue of any length on cards: only as much of them is read as is shown. */
import { expect, test, vi } from 'vitest';
import { showCards } from '../../src/ui/cards';
import type { Host, Slot } from '../../src/ui/types';

const LONG = '👟'.repeat(100_000);

/** As much of an element as cards need. */
class Element {
  readonly children: Element[] = [];
  textContent = '';
  append(...children: Element[]): void {
    this.children.push(...children);
  }
  replaceChildren(...children: Element[]): void {
    this.children.splice(0, this.children.length, ...children);
  }
  get childElementCount(): number {
    return this.children.length;
  }
  get texts(): string[] {
    return [this.textContent, ...this.children.flatMap(({ texts }) => texts)].filter(Boolean);
  }
}
const withChildren = (_: string, __: object, ...children: Element[]) => {
  const element = new Element();
  element.append(...children);
  return element;
};

test('of a long title the first letters stand for a picture, and 300 characters are shown', () => {
  const list = new Element();
  const iterate = String.prototype[Symbol.iterator];
  const lengths: number[] = [];
  vi.spyOn(String.prototype, Symbol.iterator).mockImplementation(function (this: string) {
    lengths.push(this.length);
    return iterate.call(this);
  });
  const suggestion = { id: 'a', href: '/a', title: ` ${LONG}`, reason: 'neural', score: 1 } as const;
  try {
    showCards({ node: withChildren } as unknown as Host, { frame: { list }, limit: 1, texts: {} } as unknown as Slot, [
      suggestion as never,
    ]);
  } finally {
    vi.restoreAllMocks();
  }
  expect(Math.max(...lengths)).toBeLessThanOrEqual(4);
  expect(list.texts).toEqual(['👟👟', ` ${LONG}`.slice(0, 300)]);
});
