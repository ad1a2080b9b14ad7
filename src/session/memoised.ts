/**
 * A function of an object, and of one more argument or none, that computes each answer once.
 *
 * @param compute Must give the same for the same arguments; the object must not change. Answers live as long as the object.
 */
export function memoised<K extends object, A extends readonly [argument?: unknown], V>(
  compute: (key: K, ...argument: A) => V,
): (key: K, ...argument: A) => V {
  const answers = new WeakMap<K, Map<unknown, V>>();
  return (key, ...argument) => {
    const known = answers.get(key) ?? new Map<unknown, V>();
    answers.set(key, known);
    if (!known.has(argument[0])) known.set(argument[0], compute(key, ...argument));
    return known.get(argument[0])!;
  };
}
