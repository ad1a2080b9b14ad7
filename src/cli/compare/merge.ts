/** The cells of one model and seed over all windows of the incremental protocol, as one. */
import type { Metrics } from '../../train/metrics';
import type { Cell, CellResult } from './cell';

/**
 * Means over windows, each counting the same; times, predictions and what was left out add up. Ranks and epochs stand one
 * window after the other.
 */
export function overWindows(cells: readonly Cell[]): Cell {
  const results = cells.map(({ result }) => result);
  const sum = (of: (result: CellResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const mean = (of: (result: CellResult) => number) => sum(of) / results.length;
  const metrics = (ties: 'conservative' | 'standard'): Metrics =>
    Object.fromEntries(
      Object.keys(results[0]!.metrics[ties]).map((name) => [name, mean((result) => result.metrics[ties][name]!)]),
    );
  const last = results.at(-1)!;
  const epochs = results.flatMap((result) => result.epochs).map((epoch, i) => ({ ...epoch, epoch: i + 1 }));
  return {
    plan: cells.at(-1)!.plan,
    folder: cells.at(-1)!.folder,
    result: {
      epochs,
      metrics: { conservative: metrics('conservative'), standard: metrics('standard') },
      coverage: mean(({ coverage }) => coverage),
      popularity: mean(({ popularity }) => popularity),
      predictions: sum(({ predictions }) => predictions),
      sessions: sum(({ sessions }) => sessions),
      dropped: { events: sum(({ dropped }) => dropped.events), sessions: sum(({ dropped }) => dropped.sessions) },
      trainSeconds: sum(({ trainSeconds }) => trainSeconds),
      processorSeconds: sum(({ processorSeconds }) => processorSeconds),
      evaluateSeconds: sum(({ evaluateSeconds }) => evaluateSeconds),
      peakMemoryBytes: Math.max(...results.map(({ peakMemoryBytes }) => peakMemoryBytes)),
      ...{ parameters: last.parameters, bytes: last.bytes },
      commands: results.flatMap(({ commands }) => commands),
    },
    ranks: cells.flatMap(({ plan, ranks }) =>
      ranks.map((rank) => ({ ...rank, session: `${plan.step} ${rank.session}` })),
    ),
    windows: cells.map(({ plan, result }) => ({ name: plan.step!, result })),
  };
}
