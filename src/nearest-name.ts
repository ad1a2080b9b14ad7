import { max, min } from './captured';

/** The candidate that takes the fewest edits to reach from `name`, for "did you mean": undefined if none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const distanceTo = (candidate: string) => editDistance(name.toLowerCase(), candidate.toLowerCase());
  const [best] = [...candidates].sort((a, b) => distanceTo(a) - distanceTo(b));
  return best !== undefined && distanceTo(best) <= max(2, name.length / 2) ? best : undefined;
}

/** Levenshtein's distance of two short words, one row at a time; words beyond 64 characters are cut. */
export function editDistance(from: string, to: string): number {
  const b = [...to.slice(0, 64)];
  const row = [...b.keys(), b.length];
  for (const letter of from.slice(0, 64)) {
    let diagonal = row[0]!++;
    for (const [j, other] of b.entries()) {
      const above = row[j + 1]!;
      row[j + 1] = min(above + 1, row[j]! + 1, diagonal + Number(letter !== other));
      diagonal = above;
    }
  }
  return row[b.length]!;
}
