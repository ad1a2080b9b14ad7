/**
 * Eight tabs of one shop on a stormy day (`chaos.ts`): workers, renderers and the GPU die, the network and the space come and go, the
 * visitor erases, denies and consents, tabs freeze, leave and come back. No acknowledged event is lost, nothing is thrown into a
 * page, no answer is wrong, nothing is left of what was erased. `npm run soak -- attacks/chaos` lets it storm for an hour, or for
 * CHAOS_MINUTES, and writes the counts to test/bench/results/chaos.json.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commit, machine } from '../bench/machine';
import { RESULTS } from '../bench/quality/record';
import { isSoak } from '../soak-slice';
import { storm } from './chaos';

const MINUTES = Number(process.env['CHAOS_MINUTES'] ?? 60);
const STEPS = 50;

test(
  'a storm of faults costs no event, throws nothing, and no answer is wrong',
  async () => {
    const from = Date.now();
    const minutes = () => (Date.now() - from) / 60_000;
    const goesOn = (steps: number) => (isSoak ? minutes() < MINUTES : steps < STEPS);
    const report = await storm({ seed: 28, isWhole: isSoak, goesOn });
    if (isSoak) {
      const about = { commit: commit(), machine: machine(), minutes: Math.round(minutes()) };
      writeFileSync(join(RESULTS, 'chaos.json'), `${JSON.stringify({ ...about, ...report }, null, 1)}\n`);
    }
    expect(report.breaches, report.trace.join('\n')).toEqual([]);
    expect(report.found).toBeGreaterThan(STEPS / 4);
    expect(report.answers).toBeGreaterThan(STEPS / 10);
  },
  60_000 * (MINUTES + 20),
);
