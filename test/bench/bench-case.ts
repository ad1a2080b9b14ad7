/** What a benchmark is: our work beside the same work of a peer, measured in turns. */
export interface BenchCase {
  /** As on the command line; a prefix selects. */
  readonly name: string;
  /** What the figures are in, such as `s` or `ms per step`. */
  readonly unit: string;
  /** Pairs of measured runs. */
  readonly runs: number;
  /** Pairs that run first and do not count. */
  readonly warmup: number;
  /** Prepares the case. */
  open(): Promise<OpenCase>;
}

export interface OpenCase {
  /** Runs our side once and returns its figure in the case's unit. */
  ours(): Promise<number>;
  /** Runs the peer once; absent where it is not installed, and `peer` says so. */
  theirs?(): Promise<number>;
  /** The peer's name and version, and what exactly it does. */
  readonly peer: string;
  /** Threads that either side uses. */
  readonly threads: number;
  /** Versions of what took part, beside Node. */
  readonly versions: Readonly<Record<string, string>>;
  /** Further figures of our runs, such as peak bytes with their limit; read after the last run. */
  facts?(): Readonly<Record<string, number | string>>;
  close?(): Promise<void>;
}
