/** What `auto` means, form by form, and which pairs of language model and objective there are. */
import type { Activation } from '../../nn/activation';
import type { Refuse } from '../model';
import type { LanguageModelName, ObjectiveName, T4RecConfig } from './options';

/** One language model's sizes, with nothing left open. */
export interface Size {
  /** Columns of its input and of its vectors. */
  readonly d: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of a head. */
  readonly headWidth: number;
  /** Width inside the feed-forward layers. */
  readonly inner: number;
  /** Rows of a table of positions. */
  readonly positions: number;
  readonly epsilon: number;
  /** Spread of weights at the start. */
  readonly std: number;
  /** Inside the feed-forward layers; transformer-xl always has relu. */
  readonly activation: Activation;
  readonly dropout: number;
  readonly attentionDropout: number;
  /** Whether a click sees earlier ones only. */
  readonly causal: boolean;
  /** xlnet: whether a query stream predicts what an order hides. */
  readonly twoStreams: boolean;
  /** transformer-xl: whether keys further back than `memory` are hidden, and empty slots. */
  readonly sameLength: boolean;
  readonly memory: number;
  /** transformer-xl, xlnet: the largest distance, 0: none. */
  readonly clamp: number;
}

const PAIRS: Readonly<Record<LanguageModelName, readonly ObjectiveName[]>> = {
  gru: ['clm'],
  gpt2: ['clm'],
  'transformer-xl': ['clm'],
  bert: ['mlm', 'rtd'],
  electra: ['mlm', 'rtd'],
  xlnet: ['clm', 'mlm', 'plm', 'rtd'],
};

const EARLIER = 'it sees earlier clicks only, none after a hidden one';
const WHY_NOT: Readonly<Record<ObjectiveName, string>> = {
  clm: 'it sees later clicks, so the next one would be no question',
  mlm: EARLIER,
  rtd: EARLIER,
  plm: 'it cannot take an order of prediction: that needs the two streams of xlnet',
};

const given = (value: number, automatic: number): number => (value < 0 ? automatic : value);

/** Refuses keys that do not fit together. */
export function check(config: T4RecConfig, refuse: Refuse): void {
  const { lm, objective, dModel, itemEmbeddingDim, nHead, inputLayer, features } = config;
  if (!PAIRS[lm].includes(objective)) {
    refuse(
      `lm=${lm} cannot learn by objective=${objective}: ${WHY_NOT[objective]}. It learns by ${PAIRS[lm].join(', ')}.`,
    );
  }
  const hasOwnHeads = lm === 'transformer-xl';
  if (lm !== 'gru' && !hasOwnHeads && dModel % nHead !== 0) {
    refuse(`"dModel" must be a multiple of "nHead", got ${dModel} and ${nHead}.`);
  }
  if ((lm === 'xlnet' || lm === 'transformer-xl') && dModel % 2 !== 0) {
    refuse(`"dModel" must be even (sines and cosines), got ${dModel}.`);
  }
  if (config.dHead >= 0 && lm !== 'transformer-xl') refuse('"dHead" is for lm=transformer-xl; leave it at auto.');
  if (lm === 'transformer-xl' && sameLength(config) && memory(config) === 0) {
    refuse('with sameLength and memLen=0 a click would see nothing; set memLen=1.');
  }
  if (inputLayer === 'none' && itemEmbeddingDim !== dModel) {
    refuse(`inputLayer=none needs "itemEmbeddingDim" to be "dModel", got ${itemEmbeddingDim} and ${dModel}.`);
  }
  if (inputLayer === 'none' && features !== '' && config.aggregation === 'concat') {
    refuse('features must be merged with the item vector; set inputLayer=tanh, or another aggregation.');
  }
  if (config.trainOnPrefixes && objective === 'clm') {
    refuse('"trainOnPrefixes" is for mlm, plm and rtd: clm learns every prefix.');
  }
  if (config.sampledSoftmax && config.labelSmoothing > 0) {
    refuse('"labelSmoothing" is for the full softmax; set it to 0 with sampledSoftmax.');
  }
  if (config.logqOf === 'draws' && config.sampledSoftmax && config.sampleBy !== 'popularity') {
    refuse('"logqOf" draws needs sampleBy=popularity.');
  }
  if (config.sparseUpdates && !config.sampledSoftmax) {
    refuse('"sparseUpdates" needs sampledSoftmax=true.');
  }
}

/** Whether clicks see earlier ones only. */
export const isCausal = ({ lm, objective }: T4RecConfig): boolean =>
  objective === 'clm' || lm === 'gru' || lm === 'gpt2' || lm === 'transformer-xl';

/** Whether clicks to predict give way to the mask vector. */
export const masksInput = ({ objective, form }: T4RecConfig): boolean =>
  objective === 'plm' ? form === 'library' : objective !== 'clm';

/** Whether a batch is as wide as the model, and padding takes part in attention. */
export const seesPadding = ({ form, padding }: T4RecConfig): boolean =>
  padding === 'auto' ? form === 'library' : padding === 'seen';

const headWidth = ({ lm, dModel, nHead, dHead }: T4RecConfig): number =>
  given(dHead, lm === 'transformer-xl' ? 64 : Math.floor(dModel / nHead));
const sameLength = ({ sameLength, form }: T4RecConfig): boolean =>
  sameLength === 'auto' ? form === 'library' : String(sameLength) === 'true';
const memory = ({ memLen, form }: T4RecConfig): number => given(memLen, form === 'library' ? 1 : 0);

function epsilon({ layerNormEps, form, lm }: T4RecConfig): number {
  if (lm === 'transformer-xl') return given(layerNormEps, 1e-5);
  if (form === 'paper') return given(layerNormEps, 1e-12);
  return given(layerNormEps, lm === 'gpt2' ? 1e-5 : 0.03);
}

function dropouts({ dropout, form, lm }: T4RecConfig): [number, number] {
  const encoder = lm === 'bert' || lm === 'electra';
  const rate = given(dropout, form === 'paper' || lm === 'bert' ? 0.1 : 0.3);
  return [rate, lm === 'transformer-xl' ? 0 : form === 'library' && encoder ? 0.1 : rate];
}

/** ε of the norms of features, which are PyTorch's own in both forms. */
export const FEATURE_EPSILON = 1e-5;

/** What merges the features of a click. */
export const inputLayer = ({ inputLayer, form }: T4RecConfig): 'tanh' | 'relu' | 'none' =>
  inputLayer === 'auto' ? (form === 'paper' ? 'tanh' : 'relu') : inputLayer;

/** Whether the vector that scores, c, is not h itself. */
export const projects = ({ form, dModel, itemEmbeddingDim }: T4RecConfig): boolean =>
  form === 'paper' || dModel !== itemEmbeddingDim;

/** What the loss divides scores by; vectors that score by cosine are divided by it themselves. */
export const lossTemperature = ({ scoring, softmaxTemperature }: T4RecConfig): number =>
  scoring === 'cosine' ? 1 : softmaxTemperature || 1;

/** Whether the model needs one more column than clicks to ask for the next one. */
export const appendsColumn = ({ objective }: T4RecConfig): boolean => objective !== 'clm';

/** Clicks that inference keeps of a session: with a position that was trained, the next one is the last that fits. */
export const inferenceClicks = ({ totalSeqLength, maskPosition }: T4RecConfig): number =>
  totalSeqLength - Number(maskPosition === 'trained');

/** Columns of the widest batch. */
export const inferenceWidth = (config: T4RecConfig): number =>
  inferenceClicks(config) + (appendsColumn(config) ? 1 : 0);

export function sizeOf(config: T4RecConfig): Size {
  const { lm, form, dModel, nLayer, nHead, dInner, totalSeqLength, initializerRange, clampLen } = config;
  const [dropout, attentionDropout] = dropouts(config);
  const isEncoder = lm === 'bert' || lm === 'electra';
  return {
    d: dModel,
    layers: nLayer,
    heads: nHead,
    headWidth: headWidth(config),
    inner: given(dInner, form === 'library' && lm === 'bert' ? 3072 : 4 * dModel),
    positions: form === 'library' && isEncoder ? totalSeqLength + 2 : Math.max(totalSeqLength, inferenceWidth(config)),
    epsilon: epsilon(config),
    std: given(initializerRange, form === 'paper' ? 0.02 : 0.01),
    activation: { kind: config.hiddenAct },
    dropout,
    attentionDropout,
    causal: isCausal(config),
    twoStreams: config.objective === 'plm',
    sameLength: sameLength(config),
    memory: memory(config),
    clamp: given(clampLen, lm === 'transformer-xl' ? 1000 : 0),
  };
}
