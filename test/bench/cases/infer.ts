import { dependencies, devDependencies } from '../../../package.json';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { builtChild, Contender, median, type Sample, torchPeer } from '../contender';

const STEPS = 20;

/** The best 20 of 10,000 items on WASM or by a plan, the same weights in ONNX Runtime Web, and the same model in PyTorch. */
export const cases: readonly BenchCase[] = inferenceCases();

function inferenceCases(): BenchCase[] {
  const folder = sharedPath('peers');
  if (!folder) {
    console.error(
      'infer-gru4rec, infer-sasrec and those by plans are left out: the weights of both sides, ../shared/peers, are not here.',
    );
    return [];
  }
  return (['gru4rec', 'sasrec'] as const).flatMap((name) =>
    (['ours', 'plan'] as const).map((side) => ({
      name: side === 'plan' ? `infer-plan-${name}` : `infer-${name}`,
      unit: 'ms',
      runs: 60,
      warmup: 3,
      open: () => open(side, name, folder),
    })),
  );
}

async function open(own: 'ours' | 'plan', name: 'gru4rec' | 'sasrec', folder: string): Promise<OpenCase> {
  const child = await builtChild('infer-child.ts');
  const side = (which: string) => new Contender(process.execPath, [child.program, which, name, folder]);
  const [ours, onnx] = [side(own), side('onnx')];
  const torch = await torchPeer(`${name}-infer`);
  const same = sameItems((await ours.line()) as number[], (await onnx.line()) as number[]);
  const turns: Record<'ours' | 'onnx' | 'torch', Sample[]> = { ours: [], onnx: [], torch: [] };
  const take = async (from: Contender, into: Sample[]): Promise<number> => {
    const turn = await from.sample(STEPS);
    into.push(turn);
    return median(turn.ms);
  };
  const wall = (list: readonly Sample[]): number => median(list.map(({ ms }) => median(ms)));
  const cpu = (list: readonly Sample[]): number => median(list.map((turn) => turn.cpu));
  return {
    async ours() {
      if (typeof torch !== 'string') await take(torch.side, turns.torch);
      return take(ours, turns.ours);
    },
    theirs: () => take(onnx, turns.onnx),
    peer: 'ONNX Runtime Web (wasm)',
    threads: 1,
    versions: {
      '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'],
      'onnxruntime-web': devDependencies['onnxruntime-web'],
      ...(typeof torch !== 'string' && { PyTorch: torch.version }),
    },
    facts: () => ({
      'recommendations a turn': STEPS,
      'same items in the same order, of 20': same,
      'processor ms': round(cpu(turns.ours)),
      'processor ms of ONNX Runtime Web': round(cpu(turns.onnx)),
      'ratio of processor times': round(cpu(turns.ours) / cpu(turns.onnx)),
      ...(typeof torch === 'string'
        ? { PyTorch: torch }
        : {
            'ms of PyTorch': round(wall(turns.torch)),
            'ratio to PyTorch': round(wall(turns.ours) / wall(turns.torch)),
            'processor ms of PyTorch': round(cpu(turns.torch)),
          }),
    }),
    async close() {
      await Promise.all([ours.close(), onnx.close(), typeof torch === 'string' ? undefined : torch.side.close()]);
      await child.remove();
    },
  };
}

/** How many of our first items are the peer's, which ranks its padding row too. */
function sameItems(ours: readonly number[], theirs: readonly number[]): number {
  const items = theirs.filter((item) => item !== 0);
  return items.filter((item, i) => item === ours[i]).length;
}

const round = (value: number): number => Number(value.toPrecision(3));
