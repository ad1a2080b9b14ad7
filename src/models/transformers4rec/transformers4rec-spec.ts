/**
 * Transformers4Rec without tensors: parameters; options are in `options.ts`, what they mean in `settings.ts`, sessions as arrays in
 * `transformers4rec-sessions.ts`.
 */
import type { Catalogue } from '../../types';
import type { ModelSpec, ParameterSpec } from '../model';
import { repeatsSpec } from '../repeat-bias';
import { featureParameters, featureReadings, mergedColumns, wantedFeatures } from './features';
import { declare, languageModelParameters } from './language-model-parameters';
import { options, removed, type T4RecConfig } from './options';
import {
  appendsColumn,
  check,
  inferenceClicks,
  inferenceWidth,
  inputLayer,
  isCausal,
  lossTemperature,
  masksInput,
  projects,
  seesPadding,
  sizeOf,
} from './settings';
import { readSessions, type T4RecReading } from './transformers4rec-sessions';

function parameters(config: T4RecConfig, catalogue: Catalogue): Record<string, ParameterSpec> {
  const { objective, form, itemEmbeddingDim, itemIdEmbeddingsInitStd } = config;
  const n = catalogue.items;
  const columns = mergedColumns(config, catalogue);
  const size = sizeOf(config);
  const { d } = size;
  const { specs: network, around } = declare(size);
  if (inputLayer(config) !== 'none') around('merge', columns, d);
  for (const [name, spec] of Object.entries(languageModelParameters[config.lm](size))) network[`lm.${name}`] = spec;
  const head = declare(size);
  if (projects(config)) head.around('output', d, itemEmbeddingDim);
  if (objective === 'rtd') {
    head.around('discriminator.dense', d, d);
    head.around('discriminator.score', d, 1);
  }
  return {
    items: {
      shape: [n + 1, itemEmbeddingDim],
      init: { kind: 'normal', std: itemIdEmbeddingsInitStd },
      rows: 'both',
      zeroRow: form === 'paper' ? true : 'start',
    },
    ...(form === 'paper' &&
      config.scoring === 'dot' && { bias: { shape: [n + 1], init: { kind: 'zeros' }, rows: 'output' } as const }),
    // With clm, and in the paper's plm, nothing reads it; weights of the library have it all the same.
    ...((form === 'library' || masksInput(config)) && {
      mask: { shape: [d], init: { kind: 'normal', std: 0.001 } } as const,
    }),
    ...featureParameters(config, catalogue),
    ...network,
    ...head.specs,
    ...repeatsSpec(config),
  };
}

/** @param catalogue Tells how many values a feature has. */
export const reading = (config: T4RecConfig, catalogue: Catalogue): T4RecReading => ({
  most: inferenceClicks(config),
  width: seesPadding(config) && !isCausal(config) ? inferenceWidth(config) : 0,
  append: Number(appendsColumn(config)),
  objective: config.objective,
  isCausal: isCausal(config),
  masksInput: masksInput(config),
  features: featureReadings(config, catalogue),
});

export const transformers4recSpec: ModelSpec<T4RecConfig> = {
  name: 'transformers4rec',
  paper:
    'de Souza Pereira Moreira et al., "Transformers4Rec: Bridging the Gap between NLP and Sequential / Session-Based ' +
    'Recommendation", RecSys 2021, https://doi.org/10.1145/3460231.3474255',
  options,
  removed,
  epochsOption: 'nEpochs',
  check(config, refuse) {
    check(config, refuse);
    wantedFeatures(config); // refuses a list that cannot be read
  },
  features: wantedFeatures,
  logitScale: (config) => 1 / lossTemperature(config),
  parameters,
  reading,
  prepare: (sessions, config, catalogue) => readSessions(sessions, reading(config, catalogue), catalogue),
};
