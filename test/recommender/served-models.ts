/** Recommenders in Node, on models from a real server. */
import type { Server } from 'node:http';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { createRecommender, type Recommender, type RecommenderOptions } from '../../src/index';
import type { Folder } from '../engine/fixture';
import { closeServer, listen, originOf } from '../server';

/**
 * Serves models for the tests of one file, and disposes of the recommenders of each test after it.
 *
 * @param load The models' files, by the name of their folder.
 * @param now The recommenders' clock.
 */
export function servedModels(load: () => Promise<Readonly<Record<string, Folder>>>, now: () => number) {
  let server: Server;
  const running: Recommender[] = [];
  const folders = new Map<string, Folder>();
  const requested: string[] = [];
  beforeAll(async () => {
    for (const [name, folder] of Object.entries(await load())) folders.set(name, folder);
    server = await listen((request, response) => {
      requested.push(request.url!);
      const [, folder, file] = new URL(request.url!, 'http://localhost').pathname.split('/');
      const bytes = folders.get(folder!)?.get(file!);
      response.writeHead(bytes ? 200 : 404).end(bytes);
    });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((recommender) => recommender.dispose()));
  });
  afterAll(() => closeServer(server));
  return {
    folders,
    /** Address of a folder. */
    urlOf: (folder: string) => `${originOf(server)}/${folder}/`,
    /** Paths requested so far. */
    requested,
    async start(options: Partial<RecommenderOptions> = {}, folder = 'small'): Promise<Recommender> {
      const modelUrl = `${originOf(server)}/${folder}/`;
      const recommender = await createRecommender({ modelUrl, backend: 'cpu', now, ...options });
      running.push(recommender);
      return recommender;
    },
  };
}
