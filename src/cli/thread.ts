/** A worker thread of `aisle train --threads`: it shares every step until the training ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { run } from '../compute/executor';
import type { BackendChoice } from '../compute/types';
import { RecommenderError } from '../errors';
import { startFirst } from '../pipeline/files/backend';
import type { ThreadMessage, ThreadTask } from '../pipeline/files/threads';
import { assist } from '../train/learn';
import { Team } from '../train/team';
import { tameLibraries } from './libraries';

const say = (message: ThreadMessage): void => parentPort!.postMessage(message);

async function help({ options, backend, memory, member, members }: ThreadTask): Promise<void> {
  let team: Team | undefined;
  try {
    await run(async (slice) => {
      await startFirst(slice, backend as BackendChoice, {});
      await assist(options, (layout) => {
        team = new Team(memory, layout, member, members);
        say({ state: 'ready' });
        return team;
      });
    });
  } catch (error) {
    // A training ends with `aborted`. After any other error the other threads must not wait.
    if (error instanceof RecommenderError && error.code === 'aborted') return;
    const { message } = error as Error;
    if (team) team.end(message);
    else say({ state: 'failed', message });
  }
}

tameLibraries(false);
void help(workerData as ThreadTask);
