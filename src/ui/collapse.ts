/** Gives the place of an empty slot back, and takes it again. Loaded if a slot has `empty="collapse"`. */
import type { Slot } from './types';

/** Only further below the window than this: what is above the slot does not move, and what is below it is not seen. */
const MARGIN = '200px';
/** What gives a block its height, in the page's own styles too. */
const HEIGHTS = ['height', 'min-height', 'padding-block', 'margin-block', 'border-block-width'];

const looks = new WeakMap<HTMLElement, () => void>();

/** To be called whenever a slot may have become empty, or full. */
export function collapse({ element, frame }: Slot): void {
  const look = looks.get(element) ?? watch(element, frame.list);
  looks.set(element, look);
  look();
}

/** @returns Looks where the element is, also if it has not moved. */
function watch(element: HTMLElement, list: HTMLElement | undefined): () => void {
  const { style } = element;
  /** The page's own styles, while the place is given back. */
  let own: readonly (readonly [name: string, value: string, priority: string])[] | undefined;
  const observer = new IntersectionObserver(
    (entries) => {
      const { boundingClientRect, rootBounds, isIntersecting } = entries.at(-1)!;
      const isBelow = !isIntersecting && boundingClientRect.top >= (rootBounds?.bottom ?? innerHeight);
      const isEmpty = list?.matches('.quiet') === true && element.getAttribute('empty') === 'collapse';
      if (!isBelow || isEmpty === (own !== undefined)) return;
      if (isEmpty) {
        own = [...HEIGHTS, 'overflow'].map((name) => [
          name,
          style.getPropertyValue(name),
          style.getPropertyPriority(name),
        ]);
        style.overflow = 'hidden';
        for (const name of HEIGHTS) style.setProperty(name, '0', 'important');
      } else {
        for (const property of own!) style.setProperty(...property);
        own = undefined;
      }
    },
    { rootMargin: MARGIN },
  );
  return () => {
    observer.disconnect();
    observer.observe(element);
  };
}
