/** Which pictures of products a page may show without telling anybody what was recommended. */
import type { CatalogueItem } from '../checkpoint/artifact';
import type { ImagesChoice } from './types';

/** The product with the picture that may be shown of it, or without one. */
export function pictured<T extends CatalogueItem | null>(product: T, images: ImagesChoice): T {
  const image = product?.image;
  if (image === undefined || images === 'page') return product;
  if (images === 'artifact' && /^data:image\//i.test(image)) return product;
  const { image: _, ...rest } = product!;
  return rest as T;
}
