/** Runs of a property: few in `npm test`, as many as SOAK says in `npm run soak`. */
const soak = Number(process.env['SOAK'] ?? 0);

export function runs(few: number): number {
  return Math.max(few, soak);
}

/** Options of a test that takes `runs`: minutes rather than seconds where there are many. */
export const PATIENT = { timeout: soak > 0 ? 3_600_000 : 60_000 };
