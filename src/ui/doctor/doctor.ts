/**
 * The doctor: what works in this page, what does not, why, and what to do. Loaded by `aisle.push(['doctor'])`, and by
 * `?aisle-doctor` in the page's address. It requests nothing, stores nothing, and changes nothing but what its panel shows.
 */
import type { Host } from '../types';
import { examine as examined, isOurs, type Patient } from './examine';
import { openPanel, type Panel } from './panel';
import { watchPolicy } from './policy';
import type { Examination } from './types';

/** Milliseconds after which the panel is brought up to date. */
const EVERY = 2000;
/** Milliseconds in which model and slots are waited for. */
const PATIENCE = 20_000;

let panel: Panel | undefined;
let violations: ReturnType<typeof watchPolicy> | undefined;

/**
 * Opens the panel, or brings the open one up to date.
 *
 * @returns What is so once the model is there or has failed, and the slots have their answers; after 20 seconds in any case.
 */
export async function examine(host: Host, patient: () => Patient | undefined): Promise<Examination> {
  violations ??= watchPolicy((url) => isOurs(url, patient()?.options.recommender.modelUrl));
  const look = async (): Promise<Examination> => {
    const found = await examined(host, patient(), violations!());
    panel?.show(found);
    return found;
  };
  const isNew = !panel?.isOpen;
  if (isNew) panel = openPanel(host, look);
  await settled(host, patient);
  const found = await look();
  if (isNew) follow(host, panel!, look);
  return found;
}

/** Waits for the model and for the slots. */
async function settled({ aisle, slots }: Host, patient: () => Patient | undefined): Promise<void> {
  const late = Date.now() + PATIENCE;
  await Promise.race([aisle.ready, pause(PATIENCE)]);
  const isWaiting = () => [...slots].some(({ element }) => element.getAttribute('data-aisle-state') === 'loading');
  while (patient() !== undefined && isWaiting() && Date.now() < late) await pause(100);
}

/** Keeps an open panel up to date. */
function follow({ guard }: Host, open: Panel, look: () => Promise<unknown>): void {
  const timer = setInterval(() => {
    if (open.isOpen) guard('The doctor', look);
    else clearInterval(timer);
  }, EVERY);
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
