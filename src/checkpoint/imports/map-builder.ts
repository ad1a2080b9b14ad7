/** Collects a name map, entry by entry. Arguments are theirs first, then ours. */
import type { Block, NameMap, Shape } from './name-map';

export class MapBuilder {
  readonly #theirs: Record<string, Shape> = {};
  readonly #ours: Record<string, Shape> = {};
  readonly #blocks: Block[] = [];
  readonly #unused: string[] = [];
  readonly #skippedRows: Record<string, readonly number[]> = {};

  /** A rectangle of one of their tensors. */
  part(their: string, theirShape: Shape, our: string, shape: Shape, block: Omit<Block, 'theirs' | 'ours'> = {}): void {
    this.#theirs[their] = theirShape;
    this.#ours[our] = shape;
    this.#blocks.push({ theirs: their, ours: our, ...block });
  }

  /** The same numbers in the same order. */
  same(their: string, our: string, shape: Shape, theirShape = shape): void {
    this.part(their, theirShape, our, shape);
  }

  /** A matrix that they keep transposed. */
  transposed(their: string, our: string, [from, to]: readonly [number, number], theirShape: Shape = [to, from]): void {
    this.part(their, theirShape, our, [from, to], { transpose: true });
  }

  /** A linear layer, `[to, from]` in PyTorch; a convolution is one too, of another shape. */
  linear(their: string, our: string, size: readonly [from: number, to: number], theirShape?: Shape): void {
    this.transposed(`${their}.weight`, `${our}.w`, size, theirShape);
    this.same(`${their}.bias`, `${our}.b`, [size[1]]);
  }

  /** A layer norm: `weight` is the gain. */
  norm(their: string, our: string, width: number): void {
    this.same(`${their}.weight`, `${our}.gain`, [width]);
    this.same(`${their}.bias`, `${our}.bias`, [width]);
  }

  /** Rows of theirs that nothing reads. */
  skipped(their: string, rows: readonly number[]): void {
    this.#skippedRows[their] = rows;
  }

  /** A tensor that nothing reads. */
  unused(their: string, shape: Shape): void {
    this.#theirs[their] = shape;
    this.#unused.push(their);
  }

  build(zeroRows: readonly string[] = []): NameMap {
    const [theirs, ours, blocks] = [this.#theirs, this.#ours, this.#blocks];
    return { theirs, ours, blocks, zeroRows, unused: this.#unused, skippedRows: this.#skippedRows };
  }
}
