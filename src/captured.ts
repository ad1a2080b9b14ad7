/**
 * Functions that a page may replace later, as they are when our script is loaded. What has no state of its own is taken; methods of
 * arrays, maps and promises stay the page's ([what a page's script can do](../SECURITY.md)).
 */
export const { parse, stringify } = JSON;
export const { isArray } = Array;
export const { keys: keysOf, hasOwn } = Object;
export const { round, min, max } = Math;
export const { now: clock } = Date;
export const CapturedAbortController = AbortController;
