/** Trainings in the page: the log is a file that was dropped, artifacts and checkpoints are files of the browser's storage. */
import { sha256 } from '@noble/hashes/sha2.js';
import { RecommenderError } from '../errors';
import { contentOf, logSource, type NamedBlob } from '../pipeline/blob-source';
import { artifactFiles } from '../pipeline/build-model';
import { readProducts } from '../pipeline/catalogue/products';
import type { TrainingHost } from '../pipeline/host';
import { startInPage } from '../pipeline/page-backend';
import { memoryLimit, refuseLargeTraining } from '../pipeline/page-memory';
import { type LogReader, readLog } from '../pipeline/read-events';
import { refuseUnfinished } from '../pipeline/training-checks';
import { VERSION } from '../pipeline/version';
import { writeZip } from '../pipeline/zip';
import type { EventLog } from '../session/event-log';
import type { StudioFiles } from './files';
import { openThread } from './thread';

/** The files that the visitor has chosen; their names are the paths of the options. */
export interface ChosenFiles {
  readonly log: readonly NamedBlob[];
  readonly others: readonly NamedBlob[];
}

export const checkpointOf = (run: string): string => `runs/${run}/checkpoint.safetensors`;
export const archiveOf = (run: string): string => `runs/${run}/artifact.zip`;

/** What this device gives a page. */
export const pageMemory = (): number =>
  memoryLimit((navigator as Navigator & { readonly deviceMemory?: number }).deviceMemory);

/** @param chosen The files of the moment. */
export function pageHost(files: StudioFiles, chosen: () => ChosenFiles): TrainingHost {
  const find = (path: string): NamedBlob => {
    const { log, others } = chosen();
    const found = [...others, ...log].find(({ name }) => name === path);
    if (!found) throw new RecommenderError('bad-input', `${path} was not chosen; choose the file first.`);
    return found;
  };
  return {
    check: async (options) => refuseUnfinished(options, (await files.read(checkpointOf(options.out))) !== undefined),
    readLog: keepingLast(
      () => chosen().log,
      (_, options, observer) => readLog(logSource(chosen().log), options, observer),
    ),
    readInput: async (path) => contentOf(find(path)),
    async readCatalogue(path, idColumn, observer) {
      return readProducts(await contentOf(find(path)), path, idColumn, observer);
    },
    readArtifact: async (path) => {
      throw new RecommenderError('bad-config', `${path}: the studio begins every training again; leave out \`from\`.`);
    },
    startLog: async (path) => {
      throw new RecommenderError('bad-config', `${path}: the studio writes no log file; leave out \`log\`.`);
    },
    nameOf: (out) => out,
    checkpointOf: () => 'The browser’s storage',
    createHash: () => sha256.create(),
    async readCheckpoint(out) {
      const blob = await files.read(checkpointOf(out));
      return blob && new Uint8Array(await blob.arrayBuffer());
    },
    writeCheckpoint: async (out, bytes) =>
      void (await files.write(checkpointOf(out), bytes as Uint8Array<ArrayBuffer>)),
    removeCheckpoint: (out) => files.remove(checkpointOf(out)),
    async writeArtifact(out, artifact, options) {
      await files.write(archiveOf(out), writeZip(await artifactFiles(artifact, options)));
      await files.remove(checkpointOf(out));
    },
    startBackend: startInPage,
    openThread,
    checkMemory: (model, layout, events, threads, kept = 0) =>
      refuseLargeTraining(model, layout, { events, threads, kept }, pageMemory()),
    stopwatch() {
      const started = performance.now();
      return ({ seconds } = { seconds: 0, processorSeconds: 0 }) => {
        const all = seconds + (performance.now() - started) / 1000;
        return { seconds: all, processorSeconds: all }; // a page has no other clock
      };
    },
    peakMemory: () => 0, // nor of its memory
    software: () => ({ aisle: VERSION, browser: browserName(navigator.userAgent) }),
  };
}

/** Of several readings of the same log, only the first reads the file. */
function keepingLast(chosen: () => ChosenFiles['log'], read: LogReader): LogReader {
  let last: { readonly key: string; readonly log: EventLog } | undefined;
  return async (path, options = {}, observer) => {
    const { minItems = 2, featuresIfAny = [], ...rest } = options;
    const sizes = chosen().map(({ blob }) => blob.size); // another file may have the same name
    const key = JSON.stringify([path, sizes, rest, featuresIfAny]);
    if (last?.key === key && last.log.itemIds.length >= minItems) return last.log;
    last = undefined;
    const log = await read(path, options, observer);
    last = { key, log };
    return log;
  };
}

/** `Chrome 142`: enough to tell what computed, and nothing about the visitor. */
function browserName(agent: string): string {
  const [, name = 'unknown', version = ''] = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(agent) ?? [];
  return `${name === 'Version' ? 'Safari' : name} ${version}`.trim();
}
