/**
 * Functions that a page may replace later, as they are when our script is loaded. What has no state of its own is taken; methods of
 * arrays, maps and promises stay the page's ([what a page's script can do](../SECURITY.md)).
 */
export const parse = JSON.parse;
export const stringify = JSON.stringify;
export const isArray = Array.isArray;
export const keysOf = Object.keys;
export const hasOwn = Object.hasOwn;
export const round = Math.round;
export const min = Math.min;
export const max = Math.max;
export const clock = Date.now;
export const CapturedAbortController = AbortController;
