/** Which known products a new one is like, by category, brand and title. */
import type { CatalogueItem } from '../../checkpoint/artifact';
import type { Neighbour } from '../../checkpoint/catalogue-folder';

type Attributes = Partial<Pick<CatalogueItem, 'title' | 'brand' | 'category'>>;

/** An attribute that more products have than this tells little, and takes long. */
const MOST_PRODUCTS = 5000;

/**
 * Finds products by the cosine of their attributes: words of the title, brand, and each step of the category's path, weighted
 * by inverse document frequency, log(1 + n / products with it).
 */
export class NearestProducts {
  private readonly ids: string[] = [];
  /** By attribute: the products that have it. */
  private readonly postings = new Map<string, number[]>();
  private readonly attributes: (readonly string[])[] = [];
  private norms = new Float64Array(0);

  /** Adds a known product. */
  add(id: string, item: Attributes): void {
    const attributes = attributesOf(item);
    for (const attribute of attributes) {
      const list = this.postings.get(attribute);
      if (list) list.push(this.ids.length);
      else this.postings.set(attribute, [this.ids.length]);
    }
    this.ids.push(id);
    this.attributes.push(attributes);
  }

  /**
   * The known products most like this one, the nearest first, with shares that add up to 1; none where it shares no attribute
   * with any.
   */
  nearest(item: Attributes, most: number): readonly Neighbour[] {
    if (this.norms.length !== this.ids.length) this.norms = Float64Array.from(this.attributes, (all) => this.norm(all));
    const scores = new Map<number, number>();
    for (const attribute of attributesOf(item)) {
      const products = this.postings.get(attribute);
      if (!products || products.length > MOST_PRODUCTS) continue;
      const square = this.weight(attribute) ** 2;
      for (const product of products) scores.set(product, (scores.get(product) ?? 0) + square);
    }
    const best: [product: number, score: number][] = [];
    for (const [product, dot] of scores) {
      const score = dot / this.norms[product]!;
      if (best.length === most && score <= best[most - 1]![1]) continue;
      const at = best.findIndex(([, other]) => score > other);
      best.splice(at < 0 ? best.length : at, 0, [product, score]);
      if (best.length > most) best.pop();
    }
    const sum = best.reduce((total, [, score]) => total + score, 0);
    return best.map(([product, score]) => [this.ids[product]!, Number((score / sum).toFixed(4))]);
  }

  private weight(attribute: string): number {
    return Math.log(1 + this.ids.length / this.postings.get(attribute)!.length);
  }

  private norm(attributes: readonly string[]): number {
    return Math.sqrt(attributes.reduce((sum, attribute) => sum + this.weight(attribute) ** 2, 0));
  }
}

function attributesOf({ title = '', brand, category = [] }: Attributes): readonly string[] {
  const words = title.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const paths = category.map((_, step) => `category:${category.slice(0, step + 1).join('>')}`);
  return [...new Set([...words, ...paths, ...(brand ? [`brand:${brand}`] : [])])];
}
