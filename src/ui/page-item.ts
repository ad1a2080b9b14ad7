/** The product that the page shows. It is the page's for as long as the page has the same address. */
export interface PageItem {
  /** Undefined where the page shows no product, or nobody has said which. */
  get(): string | undefined;
  set(itemId: string): void;
}

export function pageItem(): PageItem {
  // A place inside the page is the same page, but for applications that keep their pages behind `#/` or `#!`.
  const addressOf = () => location.href.replace(/#(?![/!]).*$/s, '');
  let current: { readonly itemId: string; readonly address: string } | undefined;
  return {
    get: () => (current?.address === addressOf() ? current.itemId : undefined),
    set: (itemId) => {
      current = { itemId, address: addressOf() };
    },
  };
}
