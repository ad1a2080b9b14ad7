import { models } from '../../src/models/index';
import type { SessionModel } from '../../src/models/model';

/** All networks by name. */
// biome-ignore lint/suspicious/noExplicitAny: every architecture has types of its own.
export async function allModels(): Promise<Readonly<Record<string, SessionModel<any>>>> {
  const loading = Object.entries(models).map(async ([name, { network }]) => [name, await network()] as const);
  return Object.fromEntries(await Promise.all(loading));
}
