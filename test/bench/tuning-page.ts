/** The page of `tuning-cost.ts`: an engine in a worker, or in the page's own thread, that learns a few events. */

import type { Delta, TuneMethod } from '../../src/checkpoint/delta';
import { encodeDelta } from '../../src/checkpoint/delta-file';
import type { EngineEvent } from '../../src/engine/types';
import { startWorkerEngine, type WorkerEngine } from '../../src/worker/client';

let engine: WorkerEngine | undefined;
let learnt: Delta | undefined;

/** A fixed number of additions: the longer it takes, the slower the thread. */
const LOOP = 'let x = 0; for (let i = 0; i < 1e8; i++) x += i % 7;';

const bench = {
  async load(modelUrl: string): Promise<string> {
    engine = startWorkerEngine();
    await engine.load({ modelUrl: new URL(modelUrl, location.href).href, backend: 'wasm' });
    return engine.thread();
  },
  /** Learns all events from nothing; milliseconds by the clock. */
  async tune(method: TuneMethod, sessions: EngineEvent[][]): Promise<number> {
    const from = performance.now();
    learnt = undefined;
    for (let done = false; !done; ) {
      const slice = await engine!.fineTune({ sessions, method, ...(learnt && { delta: learnt }) });
      ({ delta: learnt, done } = slice);
    }
    return performance.now() - from;
  },
  /** Bytes of what was learnt last. */
  stored: (): number => encodeDelta(learnt!).length,
  adopt: (): Promise<void> => engine!.setAdapter(learnt!),
  loop: (): void => void new Function(LOOP)(),
  async loopInWorker(): Promise<void> {
    const worker = new Worker(URL.createObjectURL(new Blob([`${LOOP} postMessage(0);`])));
    await new Promise((resolve) => {
      worker.onmessage = resolve;
    });
    worker.terminate();
  },
};

export type Bench = typeof bench;
Object.assign(globalThis, { bench });
