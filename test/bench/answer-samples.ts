/** The other end of a `Contender`: answers every line `COUNT` on the input with the times of as many repeats. */
import { createInterface } from 'node:readline';

/** @param work One repeat, finished when its result is in JavaScript. */
export async function answerSamples(work: () => unknown): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const ms: number[] = [];
    const before = process.cpuUsage();
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now();
      await work();
      ms.push(performance.now() - start);
    }
    const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify({ ms, cpu: (user + system) / 1000 / ms.length }));
  }
}
