/** Which pictures of products a page may show: a request for a picture reveals what was recommended. */
import type { CatalogueItem } from '../checkpoint/artifact';
import type { ImagesChoice } from './types';

/** The product, without a picture that may not be shown. */
export function pictured<T extends CatalogueItem | null>(product: T, images: ImagesChoice): T {
  const image = product?.image;
  if (image === undefined || images === 'page') return product;
  if (images === 'artifact' && /^data:image\//i.test(image)) return product;
  const { image: _, ...rest } = product!;
  return rest as T;
}
