import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeServer, listen, originOf } from '../server';

export interface Served {
  /** What `createRecommender` takes. */
  readonly modelUrl: string;
  close(): void;
}

/** Serves the files of an artifact's folder, to this machine only. */
export async function serveArtifact(folder: string): Promise<Served> {
  const server = await listen((request, response) => response.end(readFileSync(join(folder, request.url!))));
  return { modelUrl: `${originOf(server)}/`, close: () => closeServer(server) };
}
