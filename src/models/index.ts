/** The list of architectures: the only place that names them. */
import type { SessionModel } from './model';
import type { Training } from './training';

// biome-ignore-start lint/suspicious/noExplicitAny: every architecture has types of its own.
type AnyModel = SessionModel<any>;
type AnyTraining = Training<any, any, any>;
// biome-ignore-end lint/suspicious/noExplicitAny: every architecture has types of its own.

/** The two halves of an architecture, each loaded on its first use. */
export interface Architecture {
  /** What a page needs. */
  readonly network: () => Promise<AnyModel>;
  /** How it trains. */
  readonly training: () => Promise<AnyTraining>;
}

/**
 * A page loads only the network that its artifact names. A program that runs the engine itself may add an architecture, by one
 * entry, before it loads the command line.
 */
export const models: Record<string, Architecture> = {
  gru4rec: {
    network: async () => (await import('./gru4rec')).gru4rec,
    training: async () => (await import('./gru4rec-training')).gru4recTraining,
  },
  srgnn: {
    network: async () => (await import('./srgnn')).srgnn,
    training: async () => (await import('./srgnn-training')).srgnnTraining,
  },
  sasrec: {
    network: async () => (await import('./sasrec')).sasrec,
    training: async () => (await import('./sasrec-training')).sasrecTraining,
  },
  caser: {
    network: async () => (await import('./caser')).caser,
    training: async () => (await import('./caser-training')).caserTraining,
  },
  cl4srec: {
    network: async () => (await import('./cl4srec')).cl4srec,
    training: async () => (await import('./cl4srec-training')).cl4srecTraining,
  },
  transformers4rec: {
    network: async () => (await import('./transformers4rec/transformers4rec')).transformers4rec,
    training: async () => (await import('./transformers4rec/transformers4rec-training')).transformers4recTraining,
  },
};

/** All networks by name, for the command line and for tables of tests. */
export async function allModels(): Promise<Readonly<Record<string, AnyModel>>> {
  const loading = Object.entries(models).map(async ([name, { network }]) => [name, await network()] as const);
  return Object.fromEntries(await Promise.all(loading));
}
