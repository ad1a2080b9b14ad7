/**
 * The module that executes compiled plans: a list of steps over one block of memory. A step is a word, whose low byte names it and
 * whose other bytes say how many operands follow: addresses in bytes, sizes and strides in numbers of 4 bytes. The loader of a plan
 * checks every operand; only the ids of `gather` come later, and are checked here. Built by `npm run simd`.
 */
import { binary, concat, gather, layerNorm, move, reduce, select, softmax, table, unary } from './elements';
import { matmul, pack } from './matmul';
import { size } from './step';
import { found, offerAll, startTop } from './top';

export { finite } from './elements';

/** Executes steps until a word is 0. @returns 0; else the number, from 1, of the step whose ids are no rows of its table. */
export function run(step: usize): i32 {
  for (let count = 1; size(step, 0) !== 0; count++) {
    const word = size(step, 0);
    switch (word & 0xff) {
      case 1:
        if (!gather(step)) return count;
        break;
      case 2:
        matmul(step);
        break;
      case 3:
        pack(step);
        break;
      case 4:
        binary(step);
        break;
      case 5:
        unary(step);
        break;
      case 6:
        reduce(step);
        break;
      case 7:
        softmax(step);
        break;
      case 8:
        move(step);
        break;
      case 9:
        concat(step);
        break;
      case 10:
        layerNorm(step);
        break;
      case 11:
        select(step);
        break;
      default:
        table(step);
    }
    step += (<usize>((word >> 8) + 1)) << 2;
  }
  return 0;
}

/**
 * Scores of all items, `c · table + bias`, in groups of 32.
 *
 * @param to Takes them, unless it is 0.
 * @param k How many of the best; 0: none.
 * @param best Takes the k best scores, then their columns; equal ones by ascending column.
 * @returns How many were found: scores of -Infinity are not.
 */
export function score(c: usize, d: i32, table: usize, bias: usize, groups: i32, to: usize, k: i32, best: usize): i32 {
  startTop(best, k);
  const end = c + ((<usize>d) << 2);
  for (let g = 0; g < groups; g++) {
    let s0 = v128.load(bias);
    let s1 = v128.load(bias, 16);
    let s2 = v128.load(bias, 32);
    let s3 = v128.load(bias, 48);
    let s4 = v128.load(bias, 64);
    let s5 = v128.load(bias, 80);
    let s6 = v128.load(bias, 96);
    let s7 = v128.load(bias, 112);
    for (let at = c; at < end; at += 4) {
      const x = v128.load32_splat(at);
      s0 = f32x4.add(s0, f32x4.mul(x, v128.load(table)));
      s1 = f32x4.add(s1, f32x4.mul(x, v128.load(table, 16)));
      s2 = f32x4.add(s2, f32x4.mul(x, v128.load(table, 32)));
      s3 = f32x4.add(s3, f32x4.mul(x, v128.load(table, 48)));
      s4 = f32x4.add(s4, f32x4.mul(x, v128.load(table, 64)));
      s5 = f32x4.add(s5, f32x4.mul(x, v128.load(table, 80)));
      s6 = f32x4.add(s6, f32x4.mul(x, v128.load(table, 96)));
      s7 = f32x4.add(s7, f32x4.mul(x, v128.load(table, 112)));
      table += 128;
    }
    bias += 128;
    if (to) {
      v128.store(to, s0);
      v128.store(to, s1, 16);
      v128.store(to, s2, 32);
      v128.store(to, s3, 48);
      v128.store(to, s4, 64);
      v128.store(to, s5, 80);
      v128.store(to, s6, 96);
      v128.store(to, s7, 112);
      to += 128;
    }
    if (k) offerAll(s0, s1, s2, s3, s4, s5, s6, s7, g << 5);
  }
  return found();
}
