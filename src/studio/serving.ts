/** The service worker that answers for the models of the studio. */
import { RecommenderError } from '../errors';

/**
 * Waits until the service worker of a registration answers.
 *
 * @throws RecommenderError `io` where it never will.
 */
export async function activeOf({ installing, waiting, active }: ServiceWorkerRegistration): Promise<void> {
  const worker = installing ?? waiting ?? active;
  if (worker?.state === 'activated') return;
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (worker?.state === 'activated') resolve();
      else if (!worker || worker.state === 'redundant')
        reject(
          new RecommenderError(
            'io',
            'The browser has not started what hands the model to the demo shop. Try again, or take the archive home.',
          ),
        );
    };
    worker?.addEventListener('statechange', look);
    look();
  });
}
