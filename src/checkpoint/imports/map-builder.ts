/** Name maps of Transformers in PyTorch, entry by entry. */
import type { Block, NameMap } from './name-map';

type Shape = readonly number[];

export class MapBuilder {
  readonly #theirs: Record<string, Shape> = {};
  readonly #ours: Record<string, Shape> = {};
  readonly #blocks: Block[] = [];

  /** The same tensor under another name. */
  same(their: string, our: string, shape: Shape): void {
    this.#theirs[their] = this.#ours[our] = shape;
    this.#blocks.push({ theirs: their, ours: our });
  }

  /** Of a table with `skipped` rows after those of padding and the n items: what is below row 0 and above those. */
  itemRows(their: string, our: string, [items, width]: readonly [number, number], skipped: number): void {
    this.#theirs[their] = [items + 1 + skipped, width];
    this.#ours[our] = [items + 1, width];
    this.#blocks.push({ theirs: their, ours: our, from: [1, 0], to: [1, 0], size: [items, width] });
  }

  /** A layer norm: `weight` is the gain. */
  norm(their: string, our: string, width: number): void {
    this.same(`${their}.weight`, `${our}.gain`, [width]);
    this.same(`${their}.bias`, `${our}.bias`, [width]);
  }

  /** A linear layer, `[to, from]` in PyTorch; a convolution of width 1 is one too. */
  linear(their: string, our: string, [from, to]: readonly [number, number], isConvolution = false): void {
    this.#theirs[`${their}.weight`] = isConvolution ? [to, from, 1] : [to, from];
    this.#ours[`${our}.w`] = [from, to];
    this.#blocks.push({ theirs: `${their}.weight`, ours: `${our}.w`, transpose: true });
    this.same(`${their}.bias`, `${our}.b`, [to]);
  }

  /** Linear layers that PyTorch keeps in one, `in_proj_weight` `[parts · width, width]`: below each other. */
  joined(their: string, ours: readonly string[], width: number): void {
    const weight = `${their}_weight`;
    const bias = `${their}_bias`;
    this.#theirs[weight] = [ours.length * width, width];
    this.#theirs[bias] = [ours.length * width];
    ours.forEach((our, k) => {
      this.#ours[`${our}.w`] = [width, width];
      this.#ours[`${our}.b`] = [width];
      const size = [width, width] as const;
      this.#blocks.push({ theirs: weight, ours: `${our}.w`, from: [k * width, 0], size, transpose: true });
      this.#blocks.push({ theirs: bias, ours: `${our}.b`, from: [0, k * width], size: [1, width] });
    });
  }

  build(more: Pick<NameMap, 'zeroRows' | 'skippedRows'> = {}): NameMap {
    return { theirs: this.#theirs, ours: this.#ours, blocks: this.#blocks, ...more };
  }
}
