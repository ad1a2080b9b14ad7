/**
 * What the WebAssembly module of TensorFlow.js does to a program of Node: it handles uncaught errors of the whole process
 * by throwing them again, and prints its own account of a start that failed. Here errors are told once, in `main.ts`.
 */
export function tameLibraries(isVerbose: boolean): void {
  const taken: readonly (string | symbol)[] = ['uncaughtException', 'unhandledRejection'];
  process.on('newListener', (event, listener) => {
    if (taken.includes(event)) queueMicrotask(() => process.off(event, listener));
  });
  // Commands write to the streams of their context, never to the console: whatever arrives there is a library's.
  if (!isVerbose) for (const level of ['log', 'info', 'warn', 'error'] as const) console[level] = () => {};
}
