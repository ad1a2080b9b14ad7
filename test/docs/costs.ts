/** What serving costs, in `docs/scale.md`, by the limits that the tests of the built files hold. */
import { markdownTable, whole } from '../../src/pipeline/format';
import { DEMO_MODEL, ENGINE, LEARNING, OWN, TRIALS } from '../build/limits';
import { textOf } from './manual';

const VIEWS = 1_000_000;
/** One page view of five finds nothing in the browser's cache. */
const FIRST = VIEWS / 5;
/** Headers of two answers `304`. */
const LATER = 1000;

const kB = (bytes: number): string => String(Number((bytes / 1000).toFixed(1)));
const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);

/** Bytes of 10,000 products, int8, with Brotli, as `docs/artifact.md` has measured them. */
function largerModel(): number {
  const [, megabytes] = /^\| int8 \| [\d.]+ \| ([\d.]+) \|/m.exec(textOf('docs/artifact.md'))!;
  return Number(megabytes) * 1e6;
}

/** The table of a million page views. */
export function costs(): string {
  const engine = ENGINE.plan;
  const first = OWN + engine + DEMO_MODEL;
  const parts = [
    {
      what: `first visits: own code ${kB(OWN)}, computing ${kB(engine)}, model ${kB(DEMO_MODEL)}`,
      each: first,
      views: FIRST,
    },
    { what: 'what learns', each: LEARNING, views: FIRST },
    { what: 'trials of both GPU backends', each: TRIALS, views: FIRST },
    { what: 'later pages: two answers `304`', each: LATER, views: VIEWS - FIRST },
  ];
  const sum = parts.reduce((total, { each, views }) => total + each * views, 0);
  const larger = largerModel();
  const rows = [
    ...parts.map(({ what, each, views }) => [what, kB(each), whole(views), gigabytes(each * views)]),
    ["**at most, demo's model of 610 products**", '', whole(VIEWS), `**${gigabytes(sum)}**`],
    [
      `the same with [10,000 products, int8](artifact.md#smaller-artifacts): model ${kB(larger)} in place of ${kB(DEMO_MODEL)}`,
      '',
      whole(VIEWS),
      `**${gigabytes(sum + (larger - DEMO_MODEL) * FIRST)}**`,
    ],
  ];
  return markdownTable(['', 'kB for each', 'page views', 'GB'], rows).join('\n');
}
