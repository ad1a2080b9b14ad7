/** Products as others write them. */
import type { CatalogueItem } from './artifact';

/** Whether a value that a stranger may have written is a sale. */
export function isSale(value: unknown): boolean {
  const { price, from, until } = Object(value) as Readonly<Record<string, unknown>>;
  const isInstant = (time: unknown) =>
    time === undefined || (typeof time === 'string' && !Number.isNaN(Date.parse(time)));
  return typeof price === 'number' && price >= 0 && isInstant(from) && isInstant(until);
}

/** The product with what a page knows of it: an undefined field says nothing. A price that the page names replaces a sale, too. */
export function updatedBy(update: CatalogueItem, given?: CatalogueItem): CatalogueItem {
  const known = Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined));
  const { sale, ...product } = given ?? update;
  return { ...product, ...(sale && update.price === undefined && { sale }), ...known };
}
