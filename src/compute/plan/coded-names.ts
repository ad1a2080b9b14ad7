/** What a plan calls the parts of a table of product quantisation. */

/** Parameter: the codes, 4 in a number. */
export const codesOf = (table: string): string => `${table}.codes`;
/** Parameter: the centroids. */
export const centroidsOf = (table: string): string => `${table}.centroids`;
/** Input that says, for the ids of another one, which centroids to gather. */
export const centroidsInput = (table: string, input: string): string => `${table}[${input}]`;
