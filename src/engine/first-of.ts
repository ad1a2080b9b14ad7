/** A signal that fires with the first of several: `AbortSignal.any`, which browsers before 2024 lack. */
export function firstOf(...signals: readonly (AbortSignal | undefined)[]) {
  const abort = new AbortController();
  const fire = () => abort.abort();
  for (const signal of signals) {
    signal?.addEventListener('abort', fire);
    if (signal?.aborted) fire();
  }
  return {
    signal: abort.signal,
    /** Fires it without any of them. */
    fire,
    /** Stops listening; a signal may outlive thousands of calls. */
    release(): void {
      for (const signal of signals) signal?.removeEventListener('abort', fire);
    },
  };
}
