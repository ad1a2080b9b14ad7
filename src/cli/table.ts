/**
 * A column of a table: its width in characters, below 0 where it is aligned left; or as wide as its cells are, after two spaces.
 */
export type Column = number | 'left' | 'right';

/** Rows of cells as lines of text, the first one usually the titles. */
export function table(rows: readonly (readonly string[])[], columns: readonly Column[]): string[] {
  const layout = columns.map((column, c) => {
    if (typeof column === 'number') return { gap: '', width: Math.abs(column), isLeft: column < 0 };
    const width = rows.reduce((most, row) => Math.max(most, row[c]!.length), 0);
    return { gap: c === 0 ? '' : '  ', width, isLeft: column === 'left' };
  });
  const padded = (cell: string, { gap, width, isLeft }: (typeof layout)[number]): string =>
    gap + (isLeft ? cell.padEnd(width) : cell.padStart(width));
  return rows.map((row) =>
    row
      .map((cell, c) => padded(cell, layout[c]!))
      .join('')
      .trimEnd(),
  );
}
