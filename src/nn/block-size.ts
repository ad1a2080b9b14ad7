/** Numbers of a block of scores or vectors, 16 MB as float32: smaller blocks pay more for every product, larger ones for memory. */
export const BLOCK_NUMBERS = 4 * 1024 * 1024;
