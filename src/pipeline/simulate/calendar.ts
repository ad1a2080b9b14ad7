/** The days of the simulated log: its span, the seasons, and when in a week and a day people shop. */
import type { Random } from '../../session/random';
import { DAY } from '../../session/time';
import { drawWeighted } from './draw';
import type { Season } from './taxonomy';

export interface Period {
  /** Midnight UTC of the first day, seconds since 1970. */
  readonly start: number;
  readonly days: number;
}

/** Twelve weeks from Monday 2 March 2026: late winter to early summer, so that seasons show. */
export const PERIOD: Period = { start: Date.UTC(2026, 2, 2) / 1000, days: 84 };

/** Place in the year, 0 … 1, of a time. */
export function seasonOf(time: number): number {
  return ((time - Date.UTC(2026, 0, 1) / 1000) / (365.25 * DAY)) % 1;
}

const PEAKS: Readonly<Record<Exclude<Season, 'all'>, number>> = {
  winter: 0.02,
  spring: 0.28,
  summer: 0.48,
  autumn: 0.8,
};

/** How much better or worse than usual a kind of that season sells at that place in the year. */
export function seasonFactor(season: Season, place: number): number {
  if (season === 'all') return 1;
  return Math.exp(0.8 * Math.cos(2 * Math.PI * (place - PEAKS[season])));
}

// Monday to Sunday, and the 24 hours of a day.
const WEEKDAYS = [1.0, 0.96, 0.94, 0.98, 0.9, 1.12, 1.35];
const HOURS = [8, 4, 2, 1, 1, 2, 6, 14, 22, 28, 32, 33, 38, 35, 30, 29, 31, 36, 44, 56, 64, 58, 38, 18];

/** How busy the shop is on that day of the log: the weekly rhythm and slow growth. */
export function dayWeight(day: number, period: Period): number {
  return WEEKDAYS[day % 7]! * (1 + (0.25 * day) / period.days);
}

/**
 * A second of the day, 0 … 86,399.99.
 *
 * @param habit The visitor's usual hour; visits cluster around it.
 */
export function timeOfDay(random: Random, habit: number): number {
  const weights = HOURS.map((weight, hour) => {
    const distance = Math.min(Math.abs(hour - habit), 24 - Math.abs(hour - habit));
    return weight * (0.25 + Math.exp((-distance * distance) / 8));
  });
  return drawWeighted(random, weights) * 3600 + random.uniform() * 3600;
}
