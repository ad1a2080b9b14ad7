/** The product that the page shows. It is the page's for as long as the page has the same address. */
export interface PageItem {
  /** Undefined where the page shows no product, or nobody has said which. */
  get(): string | undefined;
  set(itemId: string): void;
}

export function pageItem(first: string | undefined): PageItem {
  let current = first === undefined ? undefined : { itemId: first, address: location.href };
  return {
    get: () => (current?.address === location.href ? current.itemId : undefined),
    set: (itemId) => {
      current = { itemId, address: location.href };
    },
  };
}
