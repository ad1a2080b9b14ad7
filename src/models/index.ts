/** The list of architectures: the only place that names them. */
import type { SessionModel } from './model';

// biome-ignore lint/suspicious/noExplicitAny: every architecture has a configuration type of its own.
type AnyModel = SessionModel<any>;

/**
 * Each architecture is fetched when it is asked for: a page loads only the one that its artifact names. A program that
 * runs the engine itself may add its own, by one entry, before it loads the command line.
 */
export const models: Record<string, () => Promise<AnyModel>> = {
  gru4rec: async () => (await import('./gru4rec')).gru4rec,
  srgnn: async () => (await import('./srgnn')).srgnn,
  sasrec: async () => (await import('./sasrec')).sasrec,
  caser: async () => (await import('./caser')).caser,
  cl4srec: async () => (await import('./cl4srec')).cl4srec,
  transformers4rec: async () => (await import('./transformers4rec/model')).transformers4rec,
};

/** All of them by name, for whoever lists them: the command line, and tables of tests. */
export async function allModels(): Promise<Readonly<Record<string, AnyModel>>> {
  const loading = Object.entries(models).map(async ([name, load]) => [name, await load()] as const);
  return Object.fromEntries(await Promise.all(loading));
}
