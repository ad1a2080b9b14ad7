/**
 * The file of a plan, `plan.bin`. Little-endian words of 4 bytes:
 *
 *     magic, version, bytes of the header, the header (JSON, with spaces to a whole word), then in its order the literals, the setup,
 *     and for each program its words and what varies: a place in the words and the coefficients
 */
import { isRecord } from '../../checkpoint/json';
import { damaged, monomials, type Place, type Plan, PlanError, type Program } from './plan';

/** "plan" */
const MAGIC = 0x6e616c70;
const VERSION = 2;
const START = 12;
const SPACE = 0x20;
const MOST_HEADER = 2 ** 20;
/** Networks read two sizes: clicks, and items among them. There are monomials of each pair. */
const MOST_VARIABLES = 8;

type Span = readonly [at: number, length: number];
const spanOf = ({ at, length }: Place): Span => [at, length];

export function encodePlan({ model, size, parameters, literals, setup, programs, coded, items }: Plan): Uint8Array {
  const spans = (places: Readonly<Record<string, Place>>) =>
    Object.fromEntries(Object.entries(places).map(([name, place]) => [name, spanOf(place)]));
  const header = JSON.stringify({
    model,
    size,
    coded,
    items: { ...items, ...(items.repeats && { repeats: spanOf(items.repeats) }) },
    parameters: spans(parameters),
    literals: literals.map(({ at, data }) => [at, data.length, data instanceof Int32Array ? 'i' : 'f']),
    setup: setup.length,
    programs: programs.map(({ variables, min, max, inputs, results, words, varying }) => ({
      variables,
      min,
      max,
      inputs: spans(inputs),
      results: results.map(spanOf),
      words: words.length,
      varying: varying.length,
    })),
  });
  const json = new TextEncoder().encode(header);
  const text = new Uint8Array(Math.ceil(json.length / 4) * 4).fill(SPACE);
  text.set(json);
  const parts = [
    ...literals.map(({ data }) => new Int32Array(data.buffer, data.byteOffset, data.length)),
    setup,
    ...programs.flatMap(({ words, varying }) => [
      words,
      Int32Array.from(varying.flatMap(({ at, coefficients }) => [at, ...coefficients])),
    ]),
  ];
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(START + text.length + 4 * count);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of [MAGIC, VERSION, text.length].entries()) view.setUint32(4 * i, word, true);
  bytes.set(text, START);
  let at = START + text.length;
  for (const part of parts)
    for (const word of part) {
      view.setInt32(at, word, true);
      at += 4;
    }
  return bytes;
}

/** @throws PlanError for a file that is no plan, or one of another version. `startPlan` checks what the plan does. */
export function decodePlan(bytes: Uint8Array): Plan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < START || view.getUint32(0, true) !== MAGIC) throw new PlanError('It is no plan.');
  const version = view.getUint32(4, true);
  if (version !== VERSION) throw new PlanError(`It is a plan of version ${version}; this release reads ${VERSION}.`);
  const length = view.getUint32(8, true);
  if (length > MOST_HEADER || length % 4 > 0 || START + length > bytes.length) throw damaged('its header is wrong');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(START, START + length)));
  } catch {
    throw damaged('its header is wrong');
  }
  let at = START + length;
  const words = (given: unknown): Int32Array => {
    const count = countOf(given, 'a length');
    if (at + 4 * count > bytes.length) throw damaged('its end is wrong');
    const read = Int32Array.from({ length: count }, (_, i) => view.getInt32(at + 4 * i, true));
    at += 4 * count;
    return read;
  };
  const { model, size, coded, items, parameters, literals, setup, programs } = recordOf(header);
  const { n, d, table, bias, repeats } = recordOf(items);
  const plan = {
    ...(model !== undefined && { model: recordOf(model) }),
    size: countOf(size, 'size'),
    items: {
      n: countOf(n, 'n'),
      d: countOf(d, 'd'),
      table: countOf(table, 'table'),
      bias: countOf(bias, 'bias'),
      ...(repeats !== undefined && { repeats: placeOf(repeats) }),
    },
    ...(coded ? { coded: coded as NonNullable<Plan['coded']> } : {}), // checked by what runs it
    parameters: placesOf(parameters),
    literals: listOf(literals).map((literal) => {
      const [place, count, type] = listOf(literal);
      const data = words(count);
      return { at: countOf(place, 'a place'), data: type === 'i' ? data : new Float32Array(data.buffer) };
    }),
    setup: words(setup),
    programs: listOf(programs).map((given): Program => {
      const program = recordOf(given);
      const variables = listOf(program['variables']).map((variable) => {
        const { name, axis } = recordOf(variable);
        if (typeof name !== 'string') throw damaged('a variable is wrong');
        return { name, axis: countOf(axis, 'an axis') };
      });
      const sizes = (list: unknown): number[] => {
        const found = listOf(list).map((value) => countOf(value, 'a range'));
        if (found.length !== variables.length) throw damaged('a range is wrong');
        return found;
      };
      const inputs = placesOf(program['inputs']);
      if (variables.length > MOST_VARIABLES || variables.some(({ name }) => !Object.hasOwn(inputs, name)))
        throw damaged('a variable is wrong');
      const width = monomials(variables.map(() => 1)).length;
      const steps = words(program['words']);
      const varying = words(countOf(program['varying'], 'varying') * width);
      return {
        variables,
        min: sizes(program['min']),
        max: sizes(program['max']),
        inputs,
        results: listOf(program['results']).map(placeOf),
        words: steps,
        varying: Array.from({ length: varying.length / width }, (_, i) => {
          const [word, ...coefficients] = varying.subarray(i * width, (i + 1) * width);
          if (!(word! >= 0 && word! < steps.length)) throw damaged('what varies is wrong');
          return { at: word!, coefficients };
        }),
      };
    }),
  };
  if (at !== bytes.length) throw damaged('its end is wrong');
  return plan;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw damaged('its header is wrong');
  return value;
}
function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw damaged('its header is wrong');
  return value;
}
function countOf(value: unknown, what: string): number {
  if (!(Number.isSafeInteger(value) && (value as number) >= 0)) throw damaged(`${what} is wrong`);
  return value as number;
}
function placeOf(value: unknown): Place {
  const [at, length] = listOf(value);
  return { at: countOf(at, 'a place'), length: countOf(length, 'a length') };
}
const placesOf = (value: unknown): Record<string, Place> =>
  Object.fromEntries(Object.entries(recordOf(value)).map(([name, span]) => [name, placeOf(span)]));
