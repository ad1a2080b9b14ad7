import { dependencies } from '../../../package.json';
import { sharedPath } from '../../shared';
import type { BenchCase, OpenCase } from '../bench-case';
import { builtChild, Contender } from '../contender';
import { EPOCH_WORKLOADS, type EpochLine, type EpochStart } from '../epoch-workloads';

const EPOCHS = 2;
/** One session of so many: over the whole catalogue, but in minutes. `test/bench/epochs.ts` takes all. */
const EVERY = 32;

/** Epochs on a part of Diginetica, and how much memory they hold; none where that log is not. */
export const cases: readonly BenchCase[] = sharedPath('data/diginetica')
  ? Object.keys(EPOCH_WORKLOADS).map((name) => ({
      name: `epoch-${name}`,
      unit: 's',
      runs: EPOCHS,
      warmup: 0,
      open: () => open(name),
    }))
  : [];

async function open(name: string): Promise<OpenCase> {
  const data = sharedPath('data/diginetica/train.tsv.gz')!;
  const child = await builtChild('epoch-child.ts');
  const work = { data, ...EPOCH_WORKLOADS[name], every: EVERY, epochs: EPOCHS };
  const side = new Contender(process.execPath, [child.program, JSON.stringify(work)]);
  const { sessions, items } = (await side.line()) as EpochStart;
  const lines: EpochLine[] = [];
  return {
    async ours() {
      const line = (await side.line()) as EpochLine;
      lines.push(line);
      return line.seconds;
    },
    peer: `no peer; an epoch over each ${EVERY}nd session of Diginetica`,
    threads: 1,
    versions: { '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'] },
    facts: () => ({
      sessions,
      items,
      'limit of bytes': 4e9,
      ...Object.fromEntries(lines.map(({ epoch, peakBytes }) => [`peak bytes in epoch ${epoch}`, peakBytes])),
    }),
    async close() {
      await side.close();
      await child.remove();
    },
  };
}
