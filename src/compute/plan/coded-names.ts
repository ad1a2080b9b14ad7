/** What a plan calls the parts of a table of product quantisation. */

/** Parameter: the codes, 4 in a number. */
export const codesOf = (table: string): string => `${table}.codes`;
/** Parameter: the centroids. */
export const centroidsOf = (table: string): string => `${table}.centroids`;
/** Input: the rows of the table by the ids of another input. */
export const rowsInput = (table: string, input: string): string => `${table}[${input}]`;
