/** What this process is, and what it has used. */
import type { Spent } from '../../train/fit';
import { VERSION } from '../version';

/** What work has taken since this was called, on top of what earlier runs of it took. */
export function stopwatch(): (earlier?: Spent) => Spent {
  const started = performance.now();
  const before = process.cpuUsage();
  return ({ seconds, processorSeconds } = { seconds: 0, processorSeconds: 0 }) => {
    const { user, system } = process.cpuUsage(before);
    return {
      seconds: seconds + (performance.now() - started) / 1000,
      processorSeconds: processorSeconds + (user + system) / 1e6,
    };
  };
}

/** The most that the process has held so far, in bytes. */
export const peakMemory = (): number => process.resourceUsage().maxRSS * 1024;

/** What an artifact says of the programs that made it. */
export const software = () => ({ aisle: VERSION, node: process.version });
