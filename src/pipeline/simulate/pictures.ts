/** Product pictures, drawn by this code: small SVG data addresses in one style. */
import { SHAPES } from './shapes';

export type ShapeName = keyof typeof SHAPES;

const PART = /^([a-z])(?::(.+)|\((.+)\)|\[(.+)\]|([\d.]+)~(.+))$/;

/** Paints that do not depend on the product; shade and highlight let what lies below shine through. */
const PAINTS: Readonly<Record<string, string>> = {
  x: '#2012',
  h: '#fff5',
  k: '#433',
  w: '#fffdf6',
  t: '#b96',
  m: '#abb',
  g: '#6b8f5e',
};

/**
 * A product's picture.
 *
 * @param shape What it shows.
 * @param colour The product's colour, `#rrggbb`.
 * @param accent The brand's second colour, `#rrggbb`.
 * @param background Soft colour behind it, `#rrggbb`.
 * @returns A square SVG document as a `data:` address, mostly under 700 bytes, with nothing in it that
 *   loads or runs.
 */
export function picture(shape: ShapeName, colour: string, accent: string, background: string): string {
  const paints = {
    ...PAINTS,
    b: colour,
    a: accent,
    d: blend(colour, '#1c1a24', 0.3),
    l: blend(colour, '#ffffff', 0.38),
  };
  const svg =
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='-11 -11 122 122' fill='${colour}'>` +
    `<path fill='${background}' d='M-11-11h122v122h-122z'/><ellipse cx='50' cy='87' rx='44' ry='6' fill='#0001'/>` +
    `${elements(SHAPES[shape].split('|'), paints)}</svg>`;
  return `data:image/svg+xml,${svg.replaceAll('#', '%23')}`;
}

/** Neighbouring parts of one paint share an element: the address stays short. */
function elements(parts: readonly string[], paints: Readonly<Record<string, string>>): string {
  let svg = '';
  let open: string | undefined;
  for (const part of parts) {
    const [, paint = '', path, round, box, width, line] = PART.exec(part) ?? [];
    if (line !== undefined) {
      svg += `${close(open)}<path fill='none' stroke='${paints[paint]}' stroke-width='${width}' d='${line}'/>`;
      open = undefined;
      continue;
    }
    const outline = path ?? (round === undefined ? boxPath(numbers(box!)) : roundPath(numbers(round)));
    if (open === paint) {
      svg += outline;
    } else {
      // The root's fill is the product's colour.
      svg += `${close(open)}<path${paint === 'b' ? '' : ` fill='${paints[paint]}'`} d='${outline}`;
      open = paint;
    }
  }
  return svg + close(open);
}

function close(open: string | undefined): string {
  return open === undefined ? '' : "'/>";
}

function numbers(text: string): number[] {
  return text.split(' ').map(Number);
}

/** `[x, y, rx, ry = rx]`: an ellipse of two arcs. */
function roundPath([x, y, rx, ry = rx]: readonly number[]): string {
  return `M${x! - rx!} ${y}a${rx} ${ry} 0 0 1 ${2 * rx!} 0a${rx} ${ry} 0 0 1-${2 * rx!} 0z`;
}

/** `[x, y, width, height, radius = 0]`: a rectangle, its corners rounded. */
function boxPath([x, y, w, h, r = 0]: readonly number[]): string {
  if (r === 0) return `M${x} ${y}h${w}v${h}h-${w}z`;
  const [across, down] = [w! - 2 * r, h! - 2 * r];
  return `M${x! + r} ${y}h${across}q${r} 0 ${r} ${r}v${down}q0 ${r}-${r} ${r}h-${across}q-${r} 0-${r}-${r}v-${down}q0-${r} ${r}-${r}z`;
}

/** The colour `share` of the way from one to the other, as `#rrggbb`. */
export function blend(from: string, to: string, share: number): string {
  const channel = (hex: string, i: number) => Number.parseInt(hex.slice(2 * i + 1, 2 * i + 3), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(channel(from, i) * (1 - share) + channel(to, i) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
