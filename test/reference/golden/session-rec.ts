/** Nearest-neighbour results of session-rec (JSON): every prefix of every query, through `fit`, the arrays and the query. */
import { configure } from '../../../src/models/configuration';
import { readSessionIndex } from '../../../src/neighbours/session-index';
import { neighbours } from '../../../src/neighbours/session-knn';
import { type NeighbourScores, neighbourQuery } from '../../../src/neighbours/session-neighbours';
import type { Sessions } from '../../../src/types';
import type { Comparison, Worst } from './compare';

/** Relative: float64 in, float64 out. */
const LIMIT = 1e-9;

interface Result {
  readonly n_neighbour_candidates: number;
  readonly n_scored: number;
  readonly top20: readonly number[];
  readonly top20_scores: readonly number[];
  readonly score_sum: number;
}

interface NeighbourFile {
  readonly train: { readonly session: number[]; readonly item: number[]; readonly time: number[] };
  readonly candidates: readonly number[];
  readonly queries: readonly { readonly items: number[]; readonly times: number[] }[];
  readonly cases: readonly {
    readonly name: string;
    readonly algorithm: string;
    readonly params: Readonly<Record<string, unknown>>;
    readonly results: readonly (readonly (Result | { readonly neighbour_tie_at_k: unknown })[])[];
  }[];
}

const ALGORITHMS: Readonly<Record<string, keyof typeof neighbours>> = {
  ContextKNN: 'sknn',
  VMContextKNN: 'v-sknn',
  STAN: 'stan',
  VSKNN_STAN: 'vstan',
};

/** Parameters without an option of ours, with the value that ours computes; with another they are refused. */
const COMPUTED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ContextKNN: { similarity: 'cosine', normalize: true },
  VMContextKNN: { last_n_days: null, idf_weighting_session: false, add_reminders: false },
  STAN: { similarity: 'cosine' },
};
const ALWAYS = { sampling: 'recent', extend: false, dwelling_time: false, pop_boost: 0 };

/** Results where the reference's own pick depends on hash order are not in the file, and not in the total. */
export function compareNeighbours(bytes: Uint8Array): Comparison {
  const file = JSON.parse(new TextDecoder().decode(bytes)) as NeighbourFile;
  const ids = [...file.candidates].sort((a, b) => a - b);
  const indices = new Map(ids.map((id, k) => [id, k + 1]));
  // Items that the log does not hold keep a place in the session, and an identity.
  const indexOf = (id: number) => indices.get(id) ?? ids.length + 1 + id;
  const log = sessionsOf(file.train, indexOf);
  const catalogue = { items: ids.length };
  let total = 0;
  let compared = 0;
  let worst: Worst | undefined;
  for (const { name, algorithm, params, results } of file.cases) {
    const baseline = neighbours[ALGORITHMS[algorithm]!];
    if (!baseline) throw new Error(`no code for the algorithm "${algorithm}".`);
    const config = configure(baseline, given(algorithm, params));
    const index = readSessionIndex(baseline.fit(log, catalogue, config as never), catalogue);
    const rules = baseline.rulesOf(config as never);
    const query = neighbourQuery(index, catalogue.items, rules);
    results.forEach((prefixes, q) => {
      const { items, times } = file.queries[q]!;
      const clicks = items.map(indexOf);
      prefixes.forEach((theirs, at) => {
        if (!('top20' in theirs)) return;
        total++;
        compared++;
        const ours = query(clicks, 0, at + 1, times[at]!);
        // Ours are shares of the newest candidate's recency, unless all are shares of the largest.
        const unit = rules.normalize ? 1 : rules.recency(ours.age, 0);
        const error = difference({ ...ours, scores: ours.scores.map((score) => unit * score) }, theirs, ids);
        if (!worst || error > worst.error) worst = { tensor: `${name}, query ${q}, click ${at}`, error, limit: LIMIT };
      });
    });
  }
  const isOk = compared > 0 && worst !== undefined && worst.error <= LIMIT;
  return { state: isOk ? 'ok' : 'miss', compared, total, ...(worst && { worst }) };
}

/** What the reference switches off with `None` or `False` is 0 here. */
function given(algorithm: string, params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const numbers = ['lambda_', 'idf_weighting', 'last_n_clicks'];
  const computed: Readonly<Record<string, unknown>> = { ...ALWAYS, ...COMPUTED[algorithm] };
  return Object.fromEntries(
    Object.entries(params)
      .filter(([key, value]) => !Object.hasOwn(computed, key) || computed[key] !== value)
      .map(([key, value]) => {
        const isOff = value === null || value === false;
        return [key, isOff && numbers.some((start) => key.startsWith(start)) ? 0 : value];
      }),
  );
}

/** The largest relative difference, 0 included, of anything the file says of one answer; infinite for another ranking. */
function difference(
  { scores, candidates }: Pick<NeighbourScores, 'scores' | 'candidates'>,
  theirs: Result,
  ids: readonly number[],
): number {
  const order = ids.map((_, k) => k).filter((k) => scores[k]! > 0);
  const sum = order.reduce((all, k) => all + scores[k]!, 0);
  const pairs = [
    [candidates, theirs.n_neighbour_candidates],
    [order.length, theirs.n_scored],
    [sum, theirs.score_sum],
    ...theirs.top20.map((id, rank) => [scores[ids.indexOf(id)]!, theirs.top20_scores[rank]!] as const),
  ] as const;
  const errors = pairs.map(([a, b]) => Math.abs(a - b) / Math.max(Math.abs(b), Number.MIN_VALUE));
  // Nothing outside their list may beat the last of it.
  const listed = new Set(theirs.top20);
  const last = theirs.top20_scores.at(-1) ?? 0;
  const isBeaten = order.some((k) => !listed.has(ids[k]!) && scores[k]! > last * (1 + LIMIT));
  return isBeaten ? Number.POSITIVE_INFINITY : Math.max(...errors.map((e) => (Number.isNaN(e) ? Infinity : e)));
}

function sessionsOf({ session, item, time }: NeighbourFile['train'], indexOf: (id: number) => number): Sessions {
  const rows = new Map<number, number[]>();
  session.forEach((id, row) => {
    rows.set(id, [...(rows.get(id) ?? []), row]);
  });
  const order = [...rows.values()];
  const offsets = new Int32Array(order.length + 1);
  order.forEach((events, s) => {
    offsets[s + 1] = offsets[s]! + events.length;
  });
  const flat = order.flat();
  return {
    items: Int32Array.from(flat, (row) => indexOf(item[row]!)),
    times: Float64Array.from(flat, (row) => time[row]!),
    offsets,
  };
}
