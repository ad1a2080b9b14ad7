import { join } from 'node:path';
import type { Message } from '../../src/pipeline/observer';
import type { TrainOptions } from '../../src/pipeline/options';
import { file, folder } from '../cli/program';
import { RING_LOG } from '../cli/ring-log';

/** A training of moments, and what it says. */
export async function smallTraining(): Promise<{ readonly options: TrainOptions; readonly messages: Message[] }> {
  const messages: Message[] = [];
  const options = {
    data: await file('events.csv', RING_LOG),
    model: 'gru4rec',
    out: join(await folder(), 'model'),
    preset: 'none',
    config: { layers: [8], batchSize: 8, nSample: 8, nEpochs: 3 },
    onMessage: (message: Message) => void messages.push(message),
  };
  return { options, messages };
}
