import { TestRunner } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** What a randomised test has tried. */
    tries?: number;
  }
}

/** Counts what the running test has tried, for `docs/reliability.md`: a test that says nothing has tried one thing. */
export function tried(count: number): void {
  const { meta } = TestRunner.getCurrentTest()!;
  meta.tries = (meta.tries ?? 0) + count;
}
