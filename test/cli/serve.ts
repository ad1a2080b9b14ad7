import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface Served {
  /** What `createRecommender` takes. */
  readonly modelUrl: string;
  close(): void;
}

/** Serves the files of an artifact's folder, to this machine only. */
export async function serveArtifact(folder: string): Promise<Served> {
  const server = createServer((request, response) => response.end(readFileSync(join(folder, request.url!))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    modelUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
