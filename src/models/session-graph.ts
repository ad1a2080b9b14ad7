/** The graph of a session, for SR-GNN. Plain numbers, no tensors. */

/** Nodes are the session's distinct items, in ascending order; an edge leads from each click to the next one. */
export interface SessionGraph {
  /** Item index of each node. */
  readonly nodes: readonly number[];
  /** Node of each click. */
  readonly alias: readonly number[];
  /** Row v averages over the predecessors of v: `[m, m]` row-major, a row without any is 0. */
  readonly incoming: Float32Array;
  /** Row u averages over the successors of u, likewise. */
  readonly outgoing: Float32Array;
}

/**
 * Builds the graph of one session.
 *
 *     A[u][v]    = 1 if v is clicked right after u somewhere (`binary`), or how many times that happens (`counted`)
 *     Ain[v][u]  = A[u][v] / Σ_u′ A[u′][v]
 *     Aout[u][v] = A[u][v] / Σ_v′ A[u][v′]
 *
 * An item clicked twice in a row has an edge to itself.
 *
 * @param items Clicks, oldest first.
 */
export function sessionGraph(items: ArrayLike<number>, edges: 'binary' | 'counted'): SessionGraph {
  const clicks = Array.from(items);
  const nodes = [...new Set(clicks)].sort((a, b) => a - b);
  const nodeOf = new Map(nodes.map((item, node) => [item, node]));
  const alias = clicks.map((item) => nodeOf.get(item)!);
  const m = nodes.length;
  const weights = new Float32Array(m * m); // A
  for (let t = 0; t + 1 < alias.length; t++) {
    const edge = alias[t]! * m + alias[t + 1]!;
    weights[edge] = edges === 'counted' ? weights[edge]! + 1 : 1;
  }
  const incoming = new Float32Array(m * m);
  const outgoing = new Float32Array(m * m);
  for (let a = 0; a < m; a++) {
    let into = 0;
    let outOf = 0;
    for (let b = 0; b < m; b++) {
      into += weights[b * m + a]!;
      outOf += weights[a * m + b]!;
    }
    for (let b = 0; b < m; b++) {
      if (into > 0) incoming[a * m + b] = weights[b * m + a]! / into;
      if (outOf > 0) outgoing[a * m + b] = weights[a * m + b]! / outOf;
    }
  }
  return { nodes, alias, incoming, outgoing };
}
