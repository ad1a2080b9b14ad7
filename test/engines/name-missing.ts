/** Says in one sentence each which browsers are not here: a skipped test would look like a passed one. */
import { ENGINES } from './browsers';

export default function setup(): void {
  for (const { missing, isInSoakOnly } of ENGINES)
    if (missing !== undefined && (!isInSoakOnly || process.env['SOAK'])) console.warn(missing);
}
