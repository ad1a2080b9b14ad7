/** What the measurement of epochs trains on Diginetica, and what a training says of itself. */

export interface EpochWorkload {
  /** Events file. */
  readonly data: string;
  readonly model: string;
  readonly preset: string;
  readonly set: Readonly<Record<string, unknown>>;
  /** Every so many sessions are learnt from; 1: all. */
  readonly every: number;
  readonly epochs: number;
}

export interface EpochStart {
  readonly sessions: number;
  readonly events: number;
  /** Of the whole log. */
  readonly items: number;
}

export interface EpochLine {
  readonly epoch: number;
  readonly loss: number;
  readonly seconds: number;
  /** Seconds of processor time: other work on the machine does not stretch them. */
  readonly processor: number;
  /** The most that was resident within the epoch, and what is at its end. */
  readonly peakBytes: number;
  readonly bytes: number;
}

type Subject = Pick<EpochWorkload, 'model' | 'preset' | 'set'>;

const PRESET = 'yoochoose-100k';
/** A shop of tens of thousands of items: targets are distinguished from draws among them, where the architecture knows how. */
const SAMPLED = { loss: 'sampled', nSample: 4096, batching: 'same-length', batchClicks: 1024, maxlen: 20 };
const transformer = (lm: string, objective: string): Subject => ({
  model: 'transformers4rec',
  preset: objective === 'clm' ? `${PRESET}-clm` : PRESET,
  set: { lm, objective, sampledSoftmax: true, maxNSamples: 8192, batchClicks: 512 },
});

/** Every architecture with its preset for short sessions of anonymous visitors, and one pair of each objective. */
export const EPOCH_WORKLOADS: Readonly<Record<string, Subject>> = {
  gru4rec: { model: 'gru4rec', preset: PRESET, set: {} },
  caser: { model: 'caser', preset: PRESET, set: {} },
  srgnn: { model: 'srgnn', preset: PRESET, set: {} },
  sasrec: { model: 'sasrec', preset: PRESET, set: SAMPLED },
  cl4srec: { model: 'cl4srec', preset: PRESET, set: SAMPLED },
  'gpt2-clm': transformer('gpt2', 'clm'),
  'xlnet-mlm': transformer('xlnet', 'mlm'),
  'xlnet-plm': transformer('xlnet', 'plm'),
  'electra-rtd': transformer('electra', 'rtd'),
};
