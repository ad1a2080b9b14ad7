/**
 * A training on an events file as a process of its own, started with its `EpochWorkload` as JSON: a line of JSON that says what
 * it learns from, then one after every epoch.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { startBackend } from '../../src/compute/backends/start';
import { presetOf } from '../../src/models/presets';
import { wasmPath } from '../../src/pipeline/files/backend';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import type { ClickLog } from '../../src/session/event-log';
import { trainFromLog } from '../../src/train/train-from-log';
import type { EpochLine, EpochStart, EpochWorkload } from './epoch-workloads';

const { data, model, preset, set, every, epochs }: EpochWorkload = JSON.parse(process.argv[2]!);
const say = (line: EpochStart | EpochLine): void => console.log(JSON.stringify(line));

const { sessions: all, itemIds, support } = await readEventsFile(data);
const sessions = everyNth(all, every);
say({ sessions: sessions.offsets.length - 1, events: sessions.items.length, items: itemIds.length });
await startBackend('wasm', { wasmPath: wasmPath() });

let before = process.cpuUsage();
resetPeak();
await trainFromLog({
  model,
  config: { ...presetOf(model, preset).config, ...set },
  log: { sessions },
  itemIds,
  support,
  seed: 1,
  epochs,
  onEpoch({ epoch, loss, seconds }) {
    const { user, system } = process.cpuUsage(before);
    say({
      epoch,
      loss,
      seconds,
      processor: (user + system) / 1e6,
      peakBytes: peakBytes(),
      bytes: process.memoryUsage.rss(),
    });
    before = process.cpuUsage();
    resetPeak();
  },
});

/** Every so many sessions, with all items of the log: tables and their gradients stay as large as they are. */
function everyNth({ items, times, offsets }: ClickLog['sessions'], n: number): ClickLog['sessions'] {
  const kept = Array.from({ length: Math.ceil((offsets.length - 1) / n) }, (_, k) => k * n);
  const clicks = kept.flatMap((s) => Array.from({ length: offsets[s + 1]! - offsets[s]! }, (_, t) => offsets[s]! + t));
  let end = 0;
  return {
    items: Int32Array.from(clicks, (e) => items[e]!),
    times: Float64Array.from(clicks, (e) => times[e]!),
    offsets: Int32Array.from([0, ...kept.map((s) => (end += offsets[s + 1]! - offsets[s]!))]),
  };
}

/** Linux counts the most memory that was resident again from here; elsewhere the most counts from the process's start. */
function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {}
}

/** The most bytes resident since `resetPeak`. */
function peakBytes(): number {
  try {
    return 1024 * Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}
