/** Sizes of parameters, and how they start. */
import type { Initialiser } from './model';

/** Number of values of a shape. */
export const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Glorot's uniform limit for a matrix of that many rows and columns: √(6 / (rows + columns)). */
export const glorotUniform = (rows: number, columns: number): Initialiser => ({
  kind: 'uniform',
  limit: Math.sqrt(6 / (rows + columns)),
});

/** Glorot's (Xavier's) normal: std √(2 / (rows + columns)). */
export const glorotNormal = (rows: number, columns: number): Initialiser => ({
  kind: 'normal',
  std: Math.sqrt(2 / (rows + columns)),
});
