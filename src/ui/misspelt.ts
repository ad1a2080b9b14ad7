/** Warns of attributes of the tag that look misspelt. Loaded if it has some that are no options. */
import { nearestName } from '../nearest-name';
import { isOfTag, NAMES } from './options';
import type { Host } from './types';

/** Other tools keep data on the tag too: only what looks misspelt is worth a warning. */
export function warnOfMisspelt({ dataset }: Pick<HTMLElement, 'dataset'>, { warn }: Pick<Host, 'warn'>): void {
  for (const name of Object.keys(dataset)) {
    const near = isOfTag(name) ? undefined : misspelt(name, NAMES);
    if (near !== undefined) warn(`data-${kebab(name)} is no option; did you mean data-${kebab(near)}?`);
  }
}

/** The name that another one is likely to stand for; undefined for what may be of another tool. */
export function misspelt(name: string, names: readonly string[]): string | undefined {
  const near = nearestName(name, names);
  return near !== undefined && near.length > 4 && name.slice(0, 3) === near.slice(0, 3) ? near : undefined;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
