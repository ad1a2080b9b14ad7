/**
 * Whether a tuned model may answer: a bet on every event, made before either model has trained on it.
 *
 *     xₜ = clip(½ log₂((1 + rank by base) / (1 + rank by tuned)), −1, 1)      what the tuned model gains on event t
 *     Wₜ = Wₜ₋₁ (1 + λₜ xₜ)      W₀ = 1                                       wealth of who bets λₜ that it gains
 *     λₜ = clip((1 + Σ x) / (2 + Σ x²), 0, 3/4)                               sums over the events before t
 *
 * If the tuned model gains nothing on average, whatever the past, E[Wₜ | past] ≤ Wₜ₋₁, and W passes 1/α at any time with
 * probability α at most (Ville's inequality): W is evidence that may be looked at after every event, however few there are.
 * Howard, Ramdas et al., Annals of Statistics 2021; stakes like those of Waudby-Smith and Ramdas, "Estimating means of bounded
 * random variables by betting", JRSS B 2024, https://arxiv.org/abs/2010.09686.
 *
 * Ranks, not losses: a model that is only less sure of itself gains in loss and shows the same list. Their logarithm, not
 * their reciprocal, which is near 0 for most events and so tells the two models apart many events later.
 *
 * The gate opens where W reaches its threshold and the reciprocal ranks are no worse. From then on another bet is made that
 * it loses, which restarts whenever it has lost everything it won, so that years of gains do not hide a change:
 *
 *     Vₜ = max(1, Vₜ₋₁ (1 − xₜ / 2))
 *
 * (an e-detector; Shin, Ramdas and Rinaldo, New England Journal of Statistics in Data Science 2023). Where that one wins, the
 * gate closes, the tuning is reset, and opening again needs twice the evidence.
 */
import type { GateState } from '../../checkpoint/delta';
import type { Pair } from './frozen-model';

export interface GateSettings {
  /** Wealth at which the gate opens, doubled by every rollback: 1/α. */
  readonly open: number;
  /** V at which it closes. */
  readonly close: number;
  /** Events that it takes at least. */
  readonly least: number;
}

export const GATE: GateSettings = { open: 5, close: 20, least: 4 };

const MOST_STAKE = 0.75;
const STAKE_AGAINST = 0.5;
/** What stakes start from: the sum and squares of events that were never seen. */
const PRIOR = { sum: 1, squares: 2 };

export const CLOSED: GateState = {
  isOpen: false,
  events: 0,
  evidence: 0,
  against: 0,
  sum: 0,
  squares: 0,
  base: 0,
  tuned: 0,
  openings: 0,
  rollbacks: 0,
};

/** What one event is worth as evidence, −1…1: a rank of a quarter, or four times as far down, is worth all. */
export const payoff = ({ base, tuned }: Pair): number =>
  clip(0.5 * Math.log2((1 + base.rank) / (1 + tuned.rank)), -1, 1);

/**
 * The gate after one more event.
 *
 * @returns Where `rollbacks` is larger than before, the caller resets the tuning.
 */
export function judge(state: GateState, pair: Pair, settings: GateSettings = GATE): GateState {
  const x = payoff(pair);
  const stake = clip((PRIOR.sum + state.sum) / (PRIOR.squares + state.squares), 0, MOST_STAKE);
  const next: GateState = {
    ...state,
    events: state.events + 1,
    evidence: state.evidence + Math.log1p(stake * x),
    against: state.isOpen ? Math.max(0, state.against + Math.log1p(-STAKE_AGAINST * x)) : 0,
    sum: state.sum + x,
    squares: state.squares + x * x,
    base: state.base + 1 / pair.base.rank,
    tuned: state.tuned + 1 / pair.tuned.rank,
  };
  if (next.isOpen && next.against >= Math.log(settings.close)) {
    return { ...CLOSED, openings: next.openings, rollbacks: next.rollbacks + 1 };
  }
  const needed = Math.log(settings.open) + next.rollbacks * Math.LN2;
  const opens = next.evidence >= needed && next.events >= settings.least && next.tuned >= next.base;
  if (next.isOpen || !opens) return next;
  return { ...next, isOpen: true, openings: next.openings + 1 };
}

const clip = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);
