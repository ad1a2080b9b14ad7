/**
 * Central differences of a loss by every number of an array, which is left as it was. In 64 bits a step of 1e-6 gives
 * six digits and more of a smooth loss.
 */
export function finiteDifferences(values: Float64Array, loss: () => number, step = 1e-6): Float64Array {
  return Float64Array.from(values, (value, k) => {
    values[k] = value + step;
    const above = loss();
    values[k] = value - step;
    const below = loss();
    values[k] = value;
    return (above - below) / (2 * step);
  });
}
