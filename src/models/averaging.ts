/** The option of every architecture that says over how many epochs its weights are averaged; `train/average.ts` does it. */
import type { OptionSpecs } from './model';

export interface AveragingConfig {
  readonly averageEpochs: number;
}

export const averagingOptions: OptionSpecs<AveragingConfig> = {
  averageEpochs: {
    type: 'integer',
    min: 1,
    max: 1000,
    default: 1,
    doc:
      'the weights that are validated and kept are the mean of those at the ends of that many last epochs; training goes on ' +
      'from the plain ones. As many copies are held in memory, and in checkpoints',
    source: '1 is none: no reference code averages; Izmailov et al., "Averaging Weights", UAI 2018',
  },
};
