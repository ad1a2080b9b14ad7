/**
 * Undoes what the WebAssembly module of TensorFlow.js does to a program of Node: it rethrows all uncaught errors of the
 * process, and prints its own message if it fails to start. Errors are printed once, in `main.ts`.
 */
export function tameLibraries(isVerbose: boolean): void {
  const taken: readonly (string | symbol)[] = ['uncaughtException', 'unhandledRejection'];
  process.on('newListener', (event, listener) => {
    if (taken.includes(event)) queueMicrotask(() => process.off(event, listener));
  });
  // Commands write to the streams of their context. Only libraries write to the console.
  if (!isVerbose) for (const level of ['log', 'info', 'warn', 'error'] as const) console[level] = () => {};
}
