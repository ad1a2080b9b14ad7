/** The operands of a step, from 1. Operand 0 is the word that names the step and says how many operands it has. */

export function address(step: usize, i: usize): usize {
  return <usize>load<u32>(step + (i << 2));
}
export function size(step: usize, i: usize): i32 {
  return i32.load(step + (i << 2));
}
export function bytes(step: usize, i: usize): usize {
  return (<usize>load<u32>(step + (i << 2))) << 2;
}
