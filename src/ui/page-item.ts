/** The product that the page shows, and a page-view counter. Both are valid while the page has the same address. */
export interface PageItem {
  /** Undefined if the page shows no product, or the product is unknown. */
  get(): string | undefined;
  set(itemId: string): void;
  /** Page-view counter. Call it whenever the address may have changed. */
  view(): string;
  /** The page is opened again at the same address. */
  reopen(): void;
}

export function pageItem(): PageItem {
  // A place inside the page is the same page, except in applications that keep their pages behind `#/` or `#!`.
  const addressOf = () => location.href.replace(/#(?![/!]).*$/s, '');
  let views = 0;
  let viewed = addressOf();
  let current: { readonly itemId: string; readonly address: string } | undefined;
  return {
    get: () => (current?.address === addressOf() ? current.itemId : undefined),
    set: (itemId) => {
      current = { itemId, address: addressOf() };
    },
    view() {
      const address = addressOf();
      if (address !== viewed) views++;
      viewed = address;
      return String(views);
    },
    reopen() {
      views++;
    },
  };
}
