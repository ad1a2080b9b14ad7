/** Colours that a kind of product comes in, with the family that a visitor's taste refers to. */

export type ColourFamily = 'blue' | 'green' | 'red' | 'pink' | 'yellow' | 'brown' | 'light' | 'dark';

export interface Colour {
  /** As it stands in a title: "moss". */
  readonly name: string;
  readonly family: ColourFamily;
  /** `#rrggbb`. */
  readonly hex: string;
}

const COLOURS: Readonly<Record<string, readonly [ColourFamily, string]>> = {
  navy: ['blue', '#2f4468'],
  sky: ['blue', '#8fb8d8'],
  petrol: ['blue', '#2d6675'],
  cornflower: ['blue', '#5c7fc0'],
  moss: ['green', '#7c8a4a'],
  sage: ['green', '#a3b29a'],
  forest: ['green', '#3c5d49'],
  mint: ['green', '#a9d3bd'],
  poppy: ['red', '#cf4a3c'],
  brick: ['red', '#a4523f'],
  claret: ['red', '#7d2f3f'],
  blush: ['pink', '#e5b6ad'],
  raspberry: ['pink', '#b8436d'],
  lilac: ['pink', '#b9a2cc'],
  mustard: ['yellow', '#d3a33a'],
  lemon: ['yellow', '#ecd56f'],
  apricot: ['yellow', '#e8a86c'],
  cocoa: ['brown', '#6f4e3d'],
  tan: ['brown', '#b98556'],
  chestnut: ['brown', '#8a4b2f'],
  oak: ['brown', '#c79d66'],
  walnut: ['brown', '#775237'],
  honey: ['yellow', '#d9a75a'],
  straw: ['light', '#dcc48e'],
  oat: ['light', '#d8c8ae'],
  chalk: ['light', '#e0d8c7'],
  pebble: ['light', '#b7b2a7'],
  steel: ['light', '#a7b0b7'],
  brass: ['yellow', '#c5a053'],
  copper: ['red', '#b9724f'],
  slate: ['dark', '#5c6670'],
  charcoal: ['dark', '#43454a'],
  ink: ['dark', '#2b3140'],
  clear: ['light', '#cfdfe0'],
  amber: ['yellow', '#c98a3c'],
  smoke: ['dark', '#83898d'],
  bottle: ['green', '#4f7a62'],
  rosewater: ['pink', '#dba9ad'],
};

/** The colours of each palette, most usual first. */
export const PALETTES = {
  textile: named('moss navy oat blush mustard slate chalk petrol brick sage claret sky charcoal lilac forest'),
  ceramic: named('chalk sage navy oat brick sky charcoal mint mustard petrol blush pebble'),
  metal: named('steel brass charcoal copper forest poppy chalk navy'),
  wood: named('oak walnut honey charcoal chalk chestnut'),
  natural: named('straw oat tan chalk cocoa slate'),
  leather: named('tan chestnut cocoa ink claret forest'),
  glass: named('clear amber smoke bottle rosewater sky'),
  bright: named('poppy cornflower mustard mint raspberry navy apricot forest lilac lemon ink blush'),
  toy: named('honey oat poppy sky mint blush mustard cocoa'),
  outdoor: named('forest petrol mustard slate brick ink sky moss'),
  paper: named('chalk oat sky blush mint lemon'),
};

export type PaletteName = keyof typeof PALETTES;

function named(names: string): readonly Colour[] {
  return names.split(' ').map((name) => {
    const [family, hex] = COLOURS[name]!;
    return { name, family, hex };
  });
}
