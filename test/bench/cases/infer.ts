import { dependencies, devDependencies } from '../../../package.json';
import { models } from '../../../src/models/index';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { builtChild, Contender, type Sample, torchPeer } from '../contender';
import { median } from '../figures';
import type { FirstAnswers } from '../infer-child';
import { round } from '../machine';

const STEPS = 20;
/** Processes whose first answers are timed. */
const STARTS = 21;

const NAMES = {
  ours: "TensorFlow.js' WASM with our kernels",
  stock: "TensorFlow.js' WASM",
  plan: 'the plan',
  onnx: 'ONNX Runtime Web (wasm)',
} as const;
type Side = keyof typeof NAMES;

/**
 * The best 20 of 10,000 items. Where a peer has the same weights: on WASM and by a plan, beside ONNX Runtime Web, and PyTorch. Of every
 * architecture: by its plan beside TensorFlow.js as it comes.
 */
export const cases: readonly BenchCase[] = inferenceCases();

function inferenceCases(): BenchCase[] {
  const folder = sharedPath('peers');
  const caseOf = (name: string, own: Side, peer: Side, architecture: string): BenchCase => ({
    name,
    unit: 'ms',
    runs: 60,
    warmup: 3,
    open: () => open(own, peer, architecture, folder),
  });
  const peers = ['gru4rec', 'sasrec'];
  if (!folder) console.error('infer-gru4rec, infer-sasrec and those by plans: ../shared/peers is not here.');
  return [
    ...(folder ? peers : []).flatMap((name) => [
      caseOf(`infer-${name}`, 'ours', 'onnx', name),
      caseOf(`infer-plan-${name}`, 'plan', 'onnx', name),
    ]),
    ...Object.keys(models).map((name) =>
      caseOf(peers.includes(name) ? `infer-stock-${name}` : `infer-${name}`, 'plan', 'stock', name),
    ),
  ];
}

async function open(own: Side, peer: Side, name: string, folder: string | undefined): Promise<OpenCase> {
  const child = await builtChild('infer-child.ts');
  const sides = [own, peer];
  const starts: Record<string, FirstAnswers[]> = { [own]: [], [peer]: [] };
  const start = async (side: Side): Promise<Contender> => {
    const one = new Contender(process.execPath, [child.program, side, name, ...(folder ? [folder] : [])]);
    starts[side]!.push((await one.line()) as FirstAnswers);
    return one;
  };
  for (let turn = 1; turn < STARTS; turn++) for (const side of sides) await (await start(side)).close();
  const [ours, theirs] = [await start(own), await start(peer)];
  const torch = peer === 'onnx' ? await torchPeer(`${name}-infer`) : undefined;
  const turns: Record<string, Sample[]> = { [own]: [], [peer]: [], torch: [] };
  const take = async (from: Contender, into: Sample[]): Promise<number> => {
    const turn = await from.sample(STEPS);
    into.push(turn);
    return median(turn.ms);
  };
  const wall = (list: readonly Sample[]): number => median(list.map(({ ms }) => median(ms)));
  const cpu = (list: readonly Sample[]): number => median(list.map((turn) => turn.cpu));
  const answer = (side: Side, which: 'first' | 'fifth'): number =>
    round(median(starts[side]!.map((one) => one[which])));
  return {
    async ours() {
      if (typeof torch === 'object') await take(torch.side, turns['torch']!);
      return take(ours, turns[own]!);
    },
    theirs: () => take(theirs, turns[peer]!),
    peer: NAMES[peer],
    threads: 1,
    versions: {
      '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'],
      ...(peer === 'onnx' && { 'onnxruntime-web': devDependencies['onnxruntime-web'] }),
      ...(typeof torch === 'object' && { PyTorch: torch.version }),
    },
    facts: () => ({
      ours: NAMES[own],
      'recommendations a turn': STEPS,
      'same items in the same order, of 20': sameItems(starts[own]![0]!.items, starts[peer]![0]!.items),
      'first answer, ms': answer(own, 'first'),
      'fifth answer, ms': answer(own, 'fifth'),
      'first answer of the peer, ms': answer(peer, 'first'),
      'fifth answer of the peer, ms': answer(peer, 'fifth'),
      'processor ms': round(cpu(turns[own]!)),
      'processor ms of the peer': round(cpu(turns[peer]!)),
      'ratio of processor times': round(cpu(turns[own]!) / cpu(turns[peer]!)),
      ...(typeof torch === 'string' && { PyTorch: torch }),
      ...(typeof torch === 'object' && {
        'ms of PyTorch': round(wall(turns['torch']!)),
        'ratio to PyTorch': round(wall(turns[own]!) / wall(turns['torch']!)),
        'processor ms of PyTorch': round(cpu(turns['torch']!)),
      }),
    }),
    async close() {
      await Promise.all([ours.close(), theirs.close(), typeof torch === 'object' ? torch.side.close() : undefined]);
      await child.remove();
    },
  };
}

/** How many of our first items are the peer's, which ranks its padding row too. */
function sameItems(ours: readonly number[], theirs: readonly number[]): number {
  const items = theirs.filter((item) => item !== 0);
  return items.filter((item, i) => item === ours[i]).length;
}
