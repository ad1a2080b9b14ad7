/** The registry of architectures. */
import type { ModelSpec, ReadSessions, SessionModel } from './model';
import { padClicks, padLeft } from './padding';
import type { Training } from './training';

// biome-ignore-start lint/suspicious/noExplicitAny: every architecture has types of its own.
type AnySpec = ModelSpec<any>;
type AnyModel = SessionModel<any>;
type AnyTraining = Training<any, any, any>;
// biome-ignore-end lint/suspicious/noExplicitAny: every architecture has types of its own.

/** The parts of an architecture, each loaded on its first use. */
export interface Architecture {
  /** What a compiled plan reads sessions by; where it is absent, by the specification. */
  readonly reader?: () => Promise<ReadSessions>;
  /** Options, parameters and how sessions are read, without TensorFlow.js. */
  readonly spec: () => Promise<AnySpec>;
  /** All that a page needs to compute: the specification, and the forward pass. */
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
    reader: async () => padLeft,
    spec: async () => (await import('./gru4rec-spec')).gru4recSpec,
    network: async () => (await import('./gru4rec')).gru4rec,
    training: async () => (await import('./gru4rec-training')).gru4recTraining,
  },
  srgnn: {
    reader: async () => (await import('./srgnn-sessions')).readGraphs,
    spec: async () => (await import('./srgnn-spec')).srgnnSpec,
    network: async () => (await import('./srgnn')).srgnn,
    training: async () => (await import('./srgnn-training')).srgnnTraining,
  },
  sasrec: {
    reader: async () => padClicks,
    spec: async () => (await import('./sasrec-spec')).sasrecSpec,
    network: async () => (await import('./sasrec')).sasrec,
    training: async () => (await import('./sasrec-training')).sasrecTraining,
  },
  caser: {
    reader: async () => (await import('./caser-sessions')).readWindows,
    spec: async () => (await import('./caser-spec')).caserSpec,
    network: async () => (await import('./caser')).caser,
    training: async () => (await import('./caser-training')).caserTraining,
  },
  cl4srec: {
    reader: async () => padClicks,
    spec: async () => (await import('./cl4srec-spec')).cl4srecSpec,
    network: async () => (await import('./cl4srec')).cl4srec,
    training: async () => (await import('./cl4srec-training')).cl4srecTraining,
  },
  transformers4rec: {
    reader: async () => (await import('./transformers4rec/transformers4rec-sessions')).readSessions,
    spec: async () => (await import('./transformers4rec/transformers4rec-spec')).transformers4recSpec,
    network: async () => (await import('./transformers4rec/transformers4rec')).transformers4rec,
    training: async () => (await import('./transformers4rec/transformers4rec-training')).transformers4recTraining,
  },
};

/** All specifications by name, for the command line. */
export async function allSpecs(): Promise<Readonly<Record<string, AnySpec>>> {
  const loading = Object.entries(models).map(async ([name, { spec }]) => [name, await spec()] as const);
  return Object.fromEntries(await Promise.all(loading));
}
