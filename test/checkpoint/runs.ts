/** Runs of a property: few in `npm test`, as many as SOAK says in `npm run soak`. */
export function runs(few: number): number {
  return Math.max(few, Number(process.env['SOAK'] ?? 0));
}
