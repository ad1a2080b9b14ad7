/** The engine of a worker. It keeps the artifact's files for a second worker. */
import type { WasmFiles } from '../compute/types';
import { type FetchFile, fetchPrivately } from '../engine/artifact-loader';
import { createLocalEngine } from '../engine/local-engine';
import type { ArtifactFiles, ServedEngine } from './protocol';

/** @param artifact Files that it need not fetch. */
export function createServedEngine(
  wasmPath: WasmFiles,
  artifact?: ArtifactFiles,
  fetchFile = fetchPrivately,
): ServedEngine {
  const { files, ...keeping } = keepingFiles(fetchFile, artifact);
  const engine = createLocalEngine({ wasmPath, ...keeping });
  return {
    ...engine,
    load(...call) {
      files.clear();
      return engine.load(...call);
    },
    artifactFiles: async () => files,
  };
}

/**
 * Fetches files, and keeps each that was read completely as a blob. Browsers transfer blobs between workers without a copy in the
 * page's thread, and store large ones outside of its memory.
 *
 * @param given Files that need not be fetched the first time.
 */
function keepingFiles(
  fetchFile: FetchFile,
  given: ArtifactFiles = new Map(),
): { readonly fetchFile: FetchFile; readonly files: Map<string, Blob> } {
  const unread = new Map(given);
  const files = new Map<string, Blob>();
  return {
    files,
    async fetchFile(url, signal, options) {
      if (options?.priority) return fetchFile(url, signal, options); // of a catalogue, which the page keeps
      const known = unread.get(url);
      if (known) {
        unread.delete(url); // a later load asks the server
        files.set(url, known);
        return new Response(known);
      }
      const response = await fetchFile(url, signal, options);
      if (!response.ok || !response.body) return response;
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      const keep = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          chunks.push(chunk);
          controller.enqueue(chunk);
        },
        flush: () => void files.set(url, new Blob(chunks)),
      });
      return new Response(response.body.pipeThrough(keep), response);
    },
  };
}
