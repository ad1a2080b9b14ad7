/**
 * A function of an object and one more argument that computes each answer once.
 *
 * @param compute Must give the same for the same arguments; the object must not change. Answers live as long as the object.
 */
export function memoised<K extends object, A, V>(compute: (key: K, argument: A) => V): (key: K, argument: A) => V {
  const answers = new WeakMap<K, Map<A, V>>();
  return (key, argument) => {
    const known = answers.get(key) ?? new Map<A, V>();
    answers.set(key, known);
    if (!known.has(argument)) known.set(argument, compute(key, argument));
    return known.get(argument)!;
  };
}
