/** Numbers and tables as a person reads them. */

/** `8 s`, `2:05 min`, `1:02:05 h`. */
export function duration(seconds: number): string {
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes}:${two(total % 60)} min`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(total % 60)} h`;
}

/** A count with separators, `1,234,567`. */
export function whole(count: number): string {
  return Math.round(count).toLocaleString('en');
}

/** `1 epoch`, `2 epochs`. */
export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** The lines of a table in Markdown, of cells without a line break. */
export const markdownTable = (titles: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [titles, titles.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );

/** An id with escaped control characters, which a terminal would execute. */
export const printable = (id: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  id.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The name of a file or folder, of its path in Node or on Windows; of a page's file its own. */
export const baseName = (path: string): string => /([^/\\]*)[/\\]*$/.exec(path)![1]!;
