/** Steps over single numbers and over rows. */
import { operation4, run as runOfNumbers, unary as unaryOf } from '../../kernels/wasm-simd/assembly/elements';
import {
  affine,
  copyBlocks,
  exponentials,
  largest,
  layerNorm as layerNormOf,
  sumOf,
} from '../../kernels/wasm-simd/assembly/rows';
import { address, bytes, size } from './step';

/** op, a, b, to, four sizes, four strides of a, four of b. */
export function binary(s: usize): void {
  const op = size(s, 1);
  const n = size(s, 8);
  const sa = bytes(s, 12);
  const sb = bytes(s, 16);
  // A stride of 0 repeats one number.
  const isRun = (sa === 4 || sb === 4) && sa <= 4 && sb <= 4;
  let to = address(s, 4);
  for (let i: usize = 0; i < address(s, 5); i++) {
    for (let j: usize = 0; j < address(s, 6); j++) {
      for (let k: usize = 0; k < address(s, 7); k++) {
        let a = address(s, 2) + i * bytes(s, 9) + j * bytes(s, 10) + k * bytes(s, 11);
        let b = address(s, 3) + i * bytes(s, 13) + j * bytes(s, 14) + k * bytes(s, 15);
        if (isRun) {
          runOfNumbers(op, a, sa === 0, b, sb === 0, to, n);
          to += (<usize>n) << 2;
          continue;
        }
        for (let l = 0; l < n; l++) {
          v128.store32_lane(to, operation4(op, v128.load32_zero(a), v128.load32_zero(b)), 0);
          a += sa;
          b += sb;
          to += 4;
        }
      }
    }
  }
}

/** op, x, to, n. */
export function unary(s: usize): void {
  unaryOf(size(s, 1), address(s, 2), address(s, 3), size(s, 4));
}

/** op (0 sum, 1 mean, 2 max), x, to, outer, count, inner. */
export function reduce(s: usize): void {
  const op = size(s, 1);
  const outer = size(s, 4);
  const count = size(s, 5);
  const inner = bytes(s, 6);
  let x = address(s, 2);
  let to = address(s, 3);
  for (let i = 0; i < outer; i++) {
    for (let j: usize = 0; j < inner; j += 4) {
      let sum: f32 = f32.load(x + j);
      if (inner === 4 && op < 2) sum = sumOf(x, count, 0);
      else {
        for (let p = 1; p < count; p++) {
          const next = f32.load(x + j + <usize>p * inner);
          sum = op === 2 ? max(sum, next) : sum + next;
        }
      }
      f32.store(to, op === 1 ? sum / <f32>count : sum);
      to += 4;
    }
    x += <usize>count * inner;
  }
}

/** x, to, rows, n. */
export function softmax(s: usize): void {
  const n = size(s, 4);
  const width = (<usize>n) << 2;
  let x = address(s, 1);
  let to = address(s, 2);
  for (let r = 0; r < size(s, 3); r++) {
    const sum = exponentials(x, to, n, largest(x, n));
    affine(to, n, 1 / sum, 0);
    x += width;
    to += width;
  }
}

/** x, to, four sizes, four strides of x: any order of the axes, a part of them, or repetitions. */
export function move(s: usize): void {
  let to = address(s, 2);
  const n = size(s, 6);
  const step = bytes(s, 10);
  for (let i: usize = 0; i < address(s, 3); i++) {
    for (let j: usize = 0; j < address(s, 4); j++) {
      for (let k: usize = 0; k < address(s, 5); k++) {
        let x = address(s, 1) + i * bytes(s, 7) + j * bytes(s, 8) + k * bytes(s, 9);
        if (step === 4) {
          memory.copy(to, x, (<usize>n) << 2);
          to += (<usize>n) << 2;
        } else {
          for (let l = 0; l < n; l++) {
            store<u32>(to, load<u32>(x));
            x += step;
            to += 4;
          }
        }
      }
    }
  }
}

/** x, to, count, width, toStep: rows beside each other in wider ones. */
export function concat(s: usize): void {
  const width = <i32>bytes(s, 4);
  copyBlocks(address(s, 1), width, address(s, 2), <i32>bytes(s, 5), width, size(s, 3));
}

/** x, gain, bias, to, rows, d, the bits of epsilon. */
export function layerNorm(s: usize): void {
  const to = address(s, 4);
  layerNormOf(address(s, 1), address(s, 2), address(s, 3), f32.load(s, 28), size(s, 5), size(s, 6), to, to, 0);
}

/** condition, x, y, to, n. */
export function select(s: usize): void {
  for (let i: usize = 0; i < bytes(s, 5); i += 4) {
    const from = f32.load(address(s, 1) + i) !== 0 ? address(s, 2) : address(s, 3);
    store<u32>(address(s, 4) + i, load<u32>(from + i));
  }
}

/** table, ids, to, count, width, rows of the table. @returns Whether every id is a row. */
export function gather(s: usize): bool {
  const width = bytes(s, 5);
  let to = address(s, 3);
  for (let i: usize = 0; i < bytes(s, 4); i += 4) {
    const id = load<u32>(address(s, 2) + i);
    if (id >= <u32>size(s, 6)) return false;
    memory.copy(to, address(s, 1) + <usize>id * width, width);
    to += width;
  }
  return true;
}

/** rows, n, d, to: a table of items for scoring, `[n / 32][d][32]`; missing rows are 0. */
export function table(s: usize): void {
  const n = size(s, 2);
  const end = bytes(s, 3) << 5;
  let row = address(s, 1);
  let to = address(s, 4);
  for (let g = 0; g < n; g += 32) {
    for (let q = 0; q < 32; q++) {
      const column = to + ((<usize>q) << 2);
      for (let p: usize = 0; p < end; p += 128) {
        f32.store(column + p, g + q < n ? f32.load(row) : 0);
        row += 4;
      }
    }
    to += end;
  }
}

/** @param n A multiple of 4. @returns 0; NaN if one of n numbers is NaN or infinite. */
export function finite(x: usize, n: i32): f32 {
  const zero = f32x4.splat(0);
  let sum = zero;
  for (const end = x + ((<usize>n) << 2); x < end; x += 16) sum = f32x4.add(sum, f32x4.mul(zero, v128.load(x)));
  return (
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3)
  );
}
