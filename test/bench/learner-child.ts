/** Training steps as a process of its own, started with the work as JSON. */
import { wasmPath } from '../../src/pipeline/files/backend';
import { learnerSteps } from './learner-steps';
import { answerTurns } from './turns-child';

await answerTurns(await learnerSteps(JSON.parse(process.argv[2]!), { wasmPath: wasmPath() }));
