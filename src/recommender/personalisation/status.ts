/** `status.learning`. */
import type { Delta, GateState } from '../../checkpoint/delta';
import { CLOSED, GATE } from '../../train/tuning/gate';
import type { GateStatus, LearningStatus } from '../learning-types';

/** Predicted events that `status.learning` shows, the newest. */
export const REMEMBERED = 30;

function gateStatus(gate: GateState): GateStatus {
  const { isOpen, events, openings, rollbacks } = gate;
  const mean = (sum: number) => (events > 0 ? sum / events : 0);
  const evidence = Math.exp(Math.min(gate.evidence, 700));
  const [base, tuned] = [mean(gate.base), mean(gate.tuned)];
  return { isOpen, events, openings, rollbacks, base, tuned, evidence, why: whyOf(gate, evidence) };
}

function whyOf({ isOpen, events, base, tuned, rollbacks }: GateState, evidence: number): string {
  const odds = `${evidence < 10 ? evidence.toFixed(1) : evidence.toPrecision(2)} : 1`;
  const needed = GATE.open * 2 ** rollbacks;
  if (isOpen) return `What was learnt predicted ${events} events better than the model alone (${odds}).`;
  const undone = rollbacks > 0 ? ` It has been undone ${rollbacks} time(s), when it had become worse.` : '';
  if (events < GATE.least) return `${events} of the ${GATE.least} events that it takes have been predicted.${undone}`;
  if (tuned < base) return `What was learnt ranks this visitor's items lower than the model alone.${undone}`;
  return `The evidence is ${odds}; ${needed} : 1 is asked for.${undone}`;
}

/** The status before anything is learnt. */
export const UNLEARNT: LearningStatus = {
  state: 'idle',
  method: 'adapter',
  events: 0,
  steps: 0,
  bytes: 0,
  storage: 'none',
  gate: gateStatus(CLOSED),
  refused: { rate: 0, repetition: 0, entropy: 0 },
  latest: [],
};

/** The status of a delta. */
export function deltaStatus({
  method,
  learnt,
  step,
  gate,
  guard,
}: Delta): Omit<LearningStatus, 'state' | 'storage' | 'bytes' | 'latest'> {
  return { method, events: learnt.events, steps: step, gate: gateStatus(gate), refused: guard.refused };
}
