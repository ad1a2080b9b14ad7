/** The studio's fields, and messages that name them where the pipeline names options, and its readers flags. */

/** The columns of a log, as a person calls them. */
export const COLUMNS = {
  session: 'Session',
  item: 'Item',
  time: 'Time',
  user: 'User',
  event: 'Kind of event',
} as const;

/** What sessions are, by what `sessionsBy` begins with. */
export const SESSIONS = {
  id: 'the session column',
  gap: 'pauses of a user, of 30 minutes',
  user: 'one for each user',
} as const;

/** Labels by options. */
export const FIELDS = {
  columns: 'Columns',
  sessionsBy: 'Sessions are',
  events: 'Kinds of events',
  minSupport: 'Fewest events of an item',
  skipBadRows: 'Bad rows to pass over',
  catalogue: 'Your products, if you like',
  preset: 'Preset',
  epochs: 'Passes over the log',
  seed: 'Seed',
  backend: 'Computed by',
  threads: 'Threads',
} as const;

const labelOf = (option: string): string | undefined =>
  Object.hasOwn(FIELDS, option) ? `“${FIELDS[option as keyof typeof FIELDS]}”` : undefined;

/** A sentence of the pipeline, with the fields in place of options and flags. */
export const withFields = (text: string): string =>
  text
    .replace(/--columns ((?:\w+=[^\s,)]+,?)+)/g, (all, pairs: string) => {
      const named = pairs.split(',').map((pair) => {
        const [column = '', name] = pair.split('=');
        const label = COLUMNS[column as keyof typeof COLUMNS];
        return label && (name === '…' ? `“${label}”` : `“${label}” ${name}`);
      });
      return named.every((one) => one !== undefined) ? named.join(', ') : all;
    })
    .replace(
      /--sessions-by (id|gap|user)(?::\w+)?/g,
      (_, by: keyof typeof SESSIONS) => `“${FIELDS.sessionsBy}” ${SESSIONS[by]}`,
    )
    .replace(/--([a-z]+(?:-[a-z]+)*)|`(\w+)`/g, (all, flag?: string, option?: string) => {
      const name = option ?? flag!.replace(/-[a-z]/g, ([, letter]) => letter!.toUpperCase());
      return labelOf(name) ?? all;
    });

/** A whole number of a field; undefined where it is empty. @throws RangeError, naming the field. */
export function wholeNumber(input: HTMLInputElement, label: string, least: number): number | undefined {
  const { value, validity } = input;
  if (value === '' && !validity.badInput) return undefined;
  const number = Number(value);
  if (value !== '' && Number.isSafeInteger(number) && number >= least) return number;
  const got = value === '' ? 'something else' : value;
  throw new RangeError(`${label}: expected a whole number, at least ${least}, got ${got}.`);
}
