/** Sessions as SR-GNN reads them: graphs. */
import type { SessionInput } from '../types';
import type { Prepared } from './model';
import { longest } from './padding';
import { type SessionGraph, sessionGraph } from './session-graph';

export const EDGES = ['binary', 'counted'] as const;
export const POSITIONS = ['none', 'reverse'] as const;

export interface SrgnnReading {
  /** Clicks that are read, the most recent ones. */
  readonly maxlen: number;
  readonly edges: (typeof EDGES)[number];
  readonly positions: (typeof POSITIONS)[number];
}

/**
 * For B sessions of at most L clicks on at most m distinct items:
 *
 * - `nodes` `[B, m]`: item of each node, 0 where a session has fewer;
 * - `incoming`, `outgoing` `[B, m, m]`: edges, 0 where there is no node;
 * - `alias` `[B · L]`: the row of `[B · m]` that holds the node of each click; any row at padding;
 * - `mask` `[B, 1, L]`: 1 at clicks, 0 at padding;
 * - `last` `[B]`: the row of `[B · m]` that holds the node of the last click;
 * - `distance` `[B · L]`, for `positions`: how many clicks came after each, 0 at padding.
 */
export function readGraphs(sessions: readonly SessionInput[], { maxlen, edges, positions }: SrgnnReading): Prepared {
  const graphs = sessions.map(({ items }) =>
    sessionGraph(Array.prototype.slice.call(items, Math.max(0, items.length - maxlen)), edges),
  );
  const B = sessions.length;
  const L = longest(graphs.map(({ alias }) => alias.length));
  const m = longest(graphs.map(({ nodes }) => nodes.length));
  const nodes = new Int32Array(B * m);
  const alias = new Int32Array(B * L);
  const mask = new Float32Array(B * L);
  const last = new Int32Array(B);
  const distance = new Int32Array(B * L);
  graphs.forEach((graph, b) => {
    nodes.set(graph.nodes, b * m);
    const row = (t: number) => b * m + (graph.alias[t] ?? 0);
    const n = graph.alias.length;
    for (let t = 0; t < L; t++) alias[b * L + t] = row(t);
    for (let t = 0; t < n; t++) distance[b * L + t] = n - 1 - t;
    mask.fill(1, b * L, b * L + n);
    last[b] = row(n - 1);
  });
  return {
    nodes: { data: nodes, shape: [B, m], items: 'input' },
    incoming: { data: padded(graphs, 'incoming', m), shape: [B, m, m] },
    outgoing: { data: padded(graphs, 'outgoing', m), shape: [B, m, m] },
    alias: { data: alias, shape: [B * L] },
    mask: { data: mask, shape: [B, 1, L] },
    last: { data: last, shape: [B] },
    ...(positions === 'reverse' && { distance: { data: distance, shape: [B * L] } }),
  };
}

/** Square matrices of different sizes in the corners of squares of one size. */
function padded(graphs: readonly SessionGraph[], side: 'incoming' | 'outgoing', m: number): Float32Array {
  const data = new Float32Array(graphs.length * m * m);
  graphs.forEach(({ nodes: { length }, [side]: edges }, b) => {
    for (let v = 0; v < length; v++) data.set(edges.subarray(v * length, (v + 1) * length), (b * m + v) * m);
  });
  return data;
}
