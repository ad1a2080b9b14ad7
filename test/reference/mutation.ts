/** An error as an edit of our sources, which the tests must see. */
export interface Mutation {
  /** In a few words. */
  readonly error: string;
  readonly file: string;
  /** Text that occurs once in the file, and what replaces it. */
  readonly edits: readonly (readonly [from: string, to: string])[];
  /** Test files of which some test must fail. */
  readonly tests: readonly string[];
  /** Whether these are tests of the built files. */
  readonly built?: true;
}
