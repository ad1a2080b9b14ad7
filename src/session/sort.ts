/**
 * Sorts `order[from…to)` by `times[order[k]]`, equal times in their present order. A merge sort on typed arrays: the
 * built-in one boxes every index of a log of millions. Costs one pass where the order is right already, as in most logs.
 */
export function sortByTime(order: Int32Array, from: number, to: number, timeOf: (index: number) => number): void {
  let sorted = true;
  for (let k = from + 1; k < to && sorted; k++) sorted = timeOf(order[k - 1]!) <= timeOf(order[k]!);
  if (sorted) return;
  if (to - from <= 24) insertionSort(order, from, to, timeOf);
  else mergeSort(order, order.slice(from, to), from, to, timeOf);
}

function insertionSort(order: Int32Array, from: number, to: number, timeOf: (index: number) => number): void {
  for (let k = from + 1; k < to; k++) {
    const index = order[k]!;
    const time = timeOf(index);
    let at = k;
    while (at > from && timeOf(order[at - 1]!) > time) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = index;
  }
}

/** Bottom-up, between `order[from…to)` and a copy of it. */
function mergeSort(
  order: Int32Array,
  copy: Int32Array,
  from: number,
  to: number,
  timeOf: (index: number) => number,
): void {
  const view = order.subarray(from, to);
  let source = copy;
  let target: Int32Array = view;
  for (let start = 0; start < source.length; start += 16)
    insertionSort(source, start, Math.min(start + 16, source.length), timeOf);
  for (let width = 16; width < source.length; width *= 2) {
    for (let start = 0; start < source.length; start += 2 * width) {
      const middle = Math.min(start + width, source.length);
      const end = Math.min(start + 2 * width, source.length);
      let a = start;
      let b = middle;
      for (let k = start; k < end; k++) {
        const left = a < middle && (b >= end || timeOf(source[a]!) <= timeOf(source[b]!));
        target[k] = left ? source[a++]! : source[b++]!;
      }
    }
    [source, target] = [target, source];
  }
  if (source !== view) view.set(source);
}
