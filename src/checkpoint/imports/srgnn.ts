/**
 * Weights of the official PyTorch code, https://github.com/CRIPAC-DIG/SR-GNN (`pytorch_code`).
 *
 *     embedding.weight [n + 1, d]                     items
 *     gnn.linear_edge_in, gnn.linear_edge_out         edges.in, edges.out, transposed
 *     gnn.b_iah, gnn.b_oah [d]                        edges.in.after, edges.out.after
 *     gnn.w_ih [3d, 2d], gnn.w_hh [3d, d]             cell.wx, cell.wh, transposed; gates: reset, input, new in both
 *     gnn.b_ih, gnn.b_hh [3d]                         cell.bx, cell.bh
 *     linear_one, linear_two [d, d]                   attention.last, attention.each, transposed
 *     linear_three.weight [1, d]                      attention.q, transposed
 *     linear_transform [d, 2d]                        hybrid, transposed; nonhybrid: not used
 *     gnn.linear_edge_f [d, d]                        not used
 */
import { bad, type Importer, ignored, translate } from './importer';
import { MapBuilder } from './map-builder';

interface Config {
  readonly hiddenSize: number;
  readonly readout: 'hybrid' | 'global' | 'local';
}

const WHAT = 'srgnn configuration';

export const srgnn: Importer = {
  config(reference) {
    const imported = translate(WHAT, reference, {
      n_node: { items: true, withPadding: true },
      hiddenSize: 'hiddenSize',
      step: 'step',
      nonhybrid: readoutOf,
      batchSize: 'batchSize',
      epoch: 'epoch',
      lr: 'lr',
      lr_dc: 'lrDc',
      lr_dc_step: 'lrDcStep',
      l2: 'l2',
      patience: 'patience',
      // Its data, and what a caller did with it.
      ...ignored('dataset', 'validation', 'valid_portion', 'adam', 'adam_steps'),
    });
    // It never cuts a session.
    return { ...imported, config: { ...imported.config, maxlen: 4096 } };
  },

  map(config, items) {
    const { hiddenSize: d, readout } = config as unknown as Config;
    const map = new MapBuilder();
    srgnnMap(map, config, items, { table: 'embedding.weight', outBias: 'gnn.b_oah', isGateReversed: false });
    const left = (their: string, rows: number, columns: number) => {
      map.unused(`${their}.weight`, [columns, rows]);
      map.unused(`${their}.bias`, [columns]);
    };
    if (readout !== 'hybrid') left('linear_transform', 2 * d, d);
    left('gnn.linear_edge_f', d, d);
    return map.build();
  },
};

/** What the official code and RecBole share, and what each calls otherwise. */
export function srgnnMap(
  map: MapBuilder,
  config: Readonly<Record<string, unknown>>,
  items: number,
  names: { readonly table: string; readonly outBias: string; readonly isGateReversed: boolean },
): void {
  const { hiddenSize: d, readout } = config as unknown as Config;
  map.same(names.table, 'items', [items + 1, d]);
  for (const side of ['in', 'out'] as const) {
    map.linear(`gnn.linear_edge_${side}`, `edges.${side}`, [d, d]);
    map.same(side === 'in' ? 'gnn.b_iah' : names.outBias, `edges.${side}.after`, [d]);
  }
  // Reset, input and new gate; the rectangles are ours.
  for (const gate of [0, 1, 2]) {
    const negate = names.isGateReversed && gate === 1;
    const at = [0, gate * d] as const;
    for (const [side, width] of [
      ['ih', 2 * d],
      ['hh', d],
    ] as const) {
      const our = side === 'ih' ? 'x' : 'h';
      const matrix = { from: [gate * d, 0], to: at, size: [width, d], transpose: true, negate } as const;
      map.part(`gnn.w_${side}`, [3 * d, width], `cell.w${our}`, [width, 3 * d], matrix);
      map.part(`gnn.b_${side}`, [3 * d], `cell.b${our}`, [3 * d], { from: at, to: at, size: [1, d], negate });
    }
  }
  map.linear('linear_one', 'attention.last', [d, d]);
  map.linear('linear_two', 'attention.each', [d, d]);
  map.transposed('linear_three.weight', 'attention.q', [d, 1]);
  if (readout === 'hybrid') map.linear('linear_transform', 'hybrid', [2 * d, d]);
}

function readoutOf(nonhybrid: unknown): Record<string, string> {
  if (typeof nonhybrid === 'boolean') return { readout: nonhybrid ? 'global' : 'hybrid' };
  throw bad(WHAT, `"nonhybrid" must be true or false, got ${JSON.stringify(nonhybrid)}.`);
}
