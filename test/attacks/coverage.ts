/** Fuzzing by coverage: an input that reaches a new place of the code is kept, and changed further. V8 counts what ran. */
import { type Profiler, Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
import { random } from '../../src/session/random';

/** Most bytes of an input. */
const MOST_BYTES = 16_384;
/** Inputs after which is looked whether one has reached something new. */
const BATCH = 64;
const NUMBERS = [0, 1, 7, 127, 128, 255, 256, 32_767, 65_535, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const VALUES: readonly unknown[] = [
  null,
  true,
  '',
  'x',
  '__proto__',
  '0'.repeat(64),
  -1,
  0.5,
  1,
  2 ** 53,
  1e308,
  [],
  {},
  [[]],
  [1],
];
const CHARACTERS = new TextEncoder().encode('{}[]",:\\0-9eE.<>/#\t\n\r;|é\0');

export interface Fuzzed {
  /** Sources whose coverage counts, as parts of their paths. */
  readonly sources: readonly string[];
  /** Inputs to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Words that the format has. */
  readonly words?: readonly string[];
  /** @throws What the parser throws. */
  run(input: Uint8Array): unknown;
  /** Whether an error is one that a caller expects. */
  isReason(error: unknown): boolean;
}

export interface Found {
  readonly runs: number;
  /** Inputs that reached something new, the seeds among them. */
  readonly corpus: readonly Uint8Array[];
  /** Characters of the sources that ran. */
  readonly covered: number;
  /** Milliseconds of the slowest input. */
  readonly slowest: number;
  /** The inputs, in base 64, that the parser did not refuse as it should, and what it threw. */
  readonly failures: readonly (readonly [input: string, error: string])[];
}

/**
 * @param isOver Asked after each batch.
 * @param isGuided Whether coverage counts. Without it, which is far faster, the seeds alone are changed.
 */
export async function fuzz(
  fuzzed: Fuzzed,
  seed: number,
  isOver: (runs: number) => boolean,
  isGuided: boolean,
): Promise<Found> {
  const { sources, seeds, words = [], run, isReason } = fuzzed;
  const { integer } = random(seed);
  const below = (end: number): number => integer(end);
  const coverage = isGuided ? startCoverage((url) => sources.some((source) => url.includes(source))) : undefined;
  const corpus: Uint8Array[] = [];
  const failures = new Map<string, string>();
  let [runs, slowest] = [0, 0];
  const attempt = async (input: Uint8Array): Promise<void> => {
    const from = performance.now();
    runs++;
    try {
      await run(input.slice());
    } catch (error) {
      const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
      // One example of each place.
      const place = said.split('\n').slice(0, 2).join().replace(/\d+/g, '#');
      if (!isReason(error) && !failures.has(place))
        failures.set(place, `${Buffer.from(input).toString('base64')} ${said}`);
    }
    slowest = Math.max(slowest, performance.now() - from);
  };
  const keepIfNew = async (input: Uint8Array): Promise<void> => {
    coverage?.take();
    await attempt(input);
    if (coverage?.take() !== 0) corpus.push(input);
  };
  try {
    for (const input of seeds) await keepIfNew(input);
    const dictionary = words.map((word) => new TextEncoder().encode(word));
    while (!isOver(runs)) {
      const batch = Array.from({ length: BATCH }, () => changed(corpus, dictionary, below));
      const known = coverage?.save();
      for (const input of batch) await attempt(input);
      if (!coverage?.take()) continue;
      coverage.restore(known!); // which of them was it?
      for (const input of batch) await keepIfNew(input);
    }
    const found = [...failures.values()].map((text) => text.split(/ (.*)/s).slice(0, 2) as [string, string]);
    return { runs, corpus, covered: coverage?.covered() ?? 0, slowest, failures: found };
  } finally {
    coverage?.stop();
  }
}

/** An input of the corpus with some changes; sometimes the end of another one. */
function changed(
  corpus: readonly Uint8Array[],
  words: readonly Uint8Array[],
  below: (end: number) => number,
): Uint8Array {
  let input = corpus[below(corpus.length)]!;
  const json = below(2) === 0 ? changedJson(input, below) : undefined;
  if (json) return json.subarray(0, MOST_BYTES);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(input.length + 1);
    const splice = (removed: number, added: Uint8Array) => {
      const out = new Uint8Array(Math.min(input.length, at) + added.length + Math.max(0, input.length - at - removed));
      out.set(input.subarray(0, at));
      out.set(added, at);
      out.set(input.subarray(at + removed), at + added.length);
      input = out.subarray(0, MOST_BYTES);
    };
    const number = () => {
      const bytes = new DataView(new ArrayBuffer(8));
      const value = NUMBERS[below(NUMBERS.length)]!;
      const width = 2 ** below(4);
      if (width === 8) bytes.setBigUint64(0, BigInt(value), true);
      else bytes.setUint32(0, value, true);
      return new Uint8Array(bytes.buffer, 0, width);
    };
    switch (below(9)) {
      case 0:
        splice(1, Uint8Array.of((input[at] ?? 0) ^ (1 << below(8))));
        break;
      case 1:
        splice(1, Uint8Array.of(below(256)));
        break;
      case 2: {
        const bytes = number();
        splice(bytes.length, bytes);
        break;
      }
      case 3:
        splice(1 + below(16), new Uint8Array(0));
        break;
      case 4:
        splice(0, input.slice(at, at + 1 + below(32))); // twice
        break;
      case 5:
        splice(below(2), CHARACTERS.subarray(below(CHARACTERS.length)).subarray(0, 1));
        break;
      case 6:
        splice(0, new TextEncoder().encode(String(NUMBERS[below(NUMBERS.length)]! * (below(2) ? 1 : -0.5))));
        break;
      case 7: {
        const other = corpus[below(corpus.length)]!;
        splice(input.length, other.subarray(below(other.length + 1)));
        break;
      }
      default:
        splice(below(2) ? 0 : 1 + below(16), words[below(words.length || 1)] ?? number());
    }
  }
  return input;
}

/** JSON of which some values were exchanged or left out: after changes of bytes little is JSON any more. Undefined of what is none. */
function changedJson(input: Uint8Array, below: (end: number) => number): Uint8Array | undefined {
  type Place = readonly [parent: Record<string, unknown>, key: string];
  const placesIn = (value: unknown): Place[] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.keys(value).flatMap((key) => {
          const parent = value as Record<string, unknown>;
          return [[parent, key] as const, ...placesIn(parent[key])];
        });
  let whole: unknown;
  try {
    whole = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(input));
  } catch {
    return undefined;
  }
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const places = placesIn(whole);
    if (places.length === 0) break;
    const place = () => places[below(places.length)]!;
    const [parent, key] = place();
    const [from, other] = place();
    const odd: unknown = structuredClone(VALUES[below(VALUES.length)]);
    const makers: readonly (() => unknown)[] = [
      () => odd,
      () => odd,
      () => structuredClone(from[other]),
      () => [parent[key]],
    ];
    const make = makers[below(makers.length + 1)];
    if (make) parent[key] = make();
    else delete parent[key];
  }
  return new TextEncoder().encode(JSON.stringify(whole));
}

/** Which characters of some sources have run in this process. */
function startCoverage(isCounted: (url: string) => boolean) {
  const session = new Session();
  session.connect();
  const post = <T>(method: string, parameters: object = {}): T => {
    let answer: unknown;
    session.post(method as 'Profiler.enable', parameters as never, (error: Error | null, result?: unknown) => {
      if (error) throw error;
      answer = result;
    });
    return answer as T; // the answer comes at once
  };
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Map<string, Uint8Array>();
  return {
    /** Adds what ran since the last call. @returns How many characters were new. */
    take(): number {
      const { result } = post<Profiler.TakePreciseCoverageReturnType>('Profiler.takePreciseCoverage');
      let fresh = 0;
      for (const { scriptId, url, functions } of result) {
        if (!isCounted(url)) continue;
        const end = Math.max(...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
        const ran = new Uint8Array(end);
        // A range is followed by those inside of it.
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
        const known = seen.get(scriptId) ?? new Uint8Array(0);
        const before = new Uint8Array(Math.max(end, known.length));
        before.set(known);
        for (let i = 0; i < end; i++) {
          if (ran[i] === 0 || before[i] === 1) continue;
          before[i] = 1;
          fresh++;
        }
        seen.set(scriptId, before);
      }
      return fresh;
    },
    save: (): ReadonlyMap<string, Uint8Array> => new Map([...seen].map(([id, ran]) => [id, ran.slice()])),
    restore(saved: ReadonlyMap<string, Uint8Array>): void {
      seen.clear();
      for (const [id, ran] of saved) seen.set(id, ran);
    },
    covered: () => [...seen.values()].reduce((sum, ran) => sum + ran.reduce((count, one) => count + one, 0), 0),
    stop(): void {
      post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}
