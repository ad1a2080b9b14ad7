import { dependencies } from '../../../package.json';
import type { BenchCase, OpenCase } from '../bench-case';
import { builtChild, Contender, type Sample, torchPeer } from '../contender';
import { median } from '../figures';
import type { TrainingWorkload } from '../learner-steps';
import { round } from '../machine';
import { GRU4REC, OTHERS, SASREC_BCE, SASREC_CE } from '../workloads';

/**
 * Training steps on WASM, one thread: against PyTorch's on the processor, and for what that does not train against
 * TensorFlow.js without our kernels.
 */
export const cases: readonly BenchCase[] = [
  trainCase('train-gru4rec', 'gru4rec-step-xe', { work: GRU4REC, steps: 5, runs: 60, large: 100_000 }),
  trainCase('train-sasrec-bce', 'sasrec-step-bce', { work: SASREC_BCE, steps: 1, runs: 50 }),
  trainCase('train-sasrec-ce', 'sasrec-step-ce', { work: SASREC_CE, steps: 1, runs: 50 }),
  ...Object.entries(OTHERS).map(([name, work]) => stockCase(`train-${name}`, work)),
];

interface Steps {
  readonly work: TrainingWorkload;
  /** Steps a turn; the turn's figure is their median. */
  readonly steps: number;
  readonly runs: number;
  /** Items of a larger catalogue that runs in the same turns, to show that a step does not grow with it. */
  readonly large?: number;
}

function trainCase(name: string, peerCase: string, { work, steps, runs, large }: Steps): BenchCase {
  return { name, unit: 'ms per step', runs, warmup: 3, open: () => open(peerCase, work, steps, large) };
}

async function open(peerCase: string, work: TrainingWorkload, steps: number, large?: number): Promise<OpenCase> {
  const child = await builtChild('learner-child.ts');
  const learner = (items: number) =>
    new Contender(process.execPath, [child.program, JSON.stringify({ ...work, items })]);
  const side = learner(work.items);
  const larger = large === undefined ? undefined : learner(large);
  const peer = await torchPeer(peerCase);
  const turns: Record<'ours' | 'larger' | 'theirs', Sample[]> = { ours: [], larger: [], theirs: [] };
  const take = async (from: Contender, into: Sample[]): Promise<number> => {
    const turn = await from.sample(steps);
    into.push(turn);
    return median(turn.ms);
  };
  const wall = (list: readonly Sample[]): number => median(list.map(({ ms }) => median(ms)));
  const cpu = (list: readonly Sample[]): number => median(list.map((turn) => turn.cpu));
  const torch = typeof peer === 'string' ? undefined : peer;
  return {
    async ours() {
      if (larger) await take(larger, turns.larger);
      return take(side, turns.ours);
    },
    ...(torch && { theirs: () => take(torch.side, turns.theirs) }),
    peer: torch ? `PyTorch (eager, ${peerCase})` : (peer as string),
    threads: 1,
    versions: {
      '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'],
      ...(torch && { PyTorch: torch.version }),
    },
    facts: () => ({
      'steps a turn': steps,
      'processor ms a step': round(cpu(turns.ours)),
      ...(torch && {
        'processor ms a step of PyTorch': round(cpu(turns.theirs)),
        'ratio of processor times': round(cpu(turns.ours) / cpu(turns.theirs)),
      }),
      ...(large && {
        [`ms a step with ${large.toLocaleString('en')} items`]: round(wall(turns.larger)),
        [`ratio to ${work.items.toLocaleString('en')} items`]: round(wall(turns.larger) / wall(turns.ours)),
        'ratio of their processor times': round(cpu(turns.larger) / cpu(turns.ours)),
      }),
    }),
    async close() {
      await Promise.all([side.close(), larger?.close(), torch?.side.close()]);
      await child.remove();
    },
  };
}

function stockCase(name: string, work: TrainingWorkload): BenchCase {
  return { name, unit: 'ms per step', runs: 9, warmup: 1, open: () => openBesideStock(work) };
}

async function openBesideStock(work: TrainingWorkload): Promise<OpenCase> {
  const child = await builtChild('learner-child.ts');
  const side = (stock: boolean) => new Contender(process.execPath, [child.program, JSON.stringify({ ...work, stock })]);
  const [ours, stock] = [side(false), side(true)];
  const cpu: Record<'ours' | 'stock', number[]> = { ours: [], stock: [] };
  const take = async (from: Contender, name: 'ours' | 'stock'): Promise<number> => {
    const turn = await from.sample(1);
    cpu[name].push(turn.cpu);
    return median(turn.ms);
  };
  return {
    ours: () => take(ours, 'ours'),
    theirs: () => take(stock, 'stock'),
    peer: 'TensorFlow.js WASM without our kernels',
    threads: 1,
    versions: { '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'] },
    facts: () => ({
      'processor ms a step': round(median(cpu.ours)),
      'processor ms a step without our kernels': round(median(cpu.stock)),
      'ratio of processor times': round(median(cpu.ours) / median(cpu.stock)),
    }),
    async close() {
      await Promise.all([ours.close(), stock.close()]);
      await child.remove();
    },
  };
}
