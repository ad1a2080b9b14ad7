/** Training steps as a process of its own, started with the work as JSON. */
import { wasmPath } from '../../src/pipeline/files/backend';
import { answerSamples } from './answer-samples';
import { learnerSteps } from './learner-steps';

await answerSamples(await learnerSteps(JSON.parse(process.argv[2]!), { wasmPath: wasmPath() }));
