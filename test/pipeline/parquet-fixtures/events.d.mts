export interface FixtureEvent {
  readonly session: string;
  readonly item: string;
  readonly milliseconds: number;
  readonly event: string;
  readonly price: number | null;
}
export const EVENTS: readonly FixtureEvent[];
export function numberOf(item: string): bigint;
export function dayOf(event: FixtureEvent): number;
