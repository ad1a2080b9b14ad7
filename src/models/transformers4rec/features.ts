/**
 * Side information: what is known of a click beside its item, and of the item beside its id.
 *
 *     categorical   T[v]                     v: a value's number, 0 where it is missing, whose vector is 0
 *     numeric       v, or v w + b            a missing number is 0
 *     soft          Σₖ pₖ Tₖ   p = softmax(v w + b)      "soft one-hot", Beutel et al., WSDM 2018
 *     cyclic        sin(2π v / period), cos(2π v / period)           (0, 0) where it is missing
 *
 * Element by element: numbers are projected to the item vector's width, and so is each of the others that has another,
 * and normalised after that; side by side they are normalised as they are.
 *
 * Numbers are standardised before they come here, so that 0 is their mean. A name is a column of the log, or else of the
 * catalogue. Where neither has it, `hour` (of 24) and `weekday` (of 7, from Monday) come from the click's time, in UTC, and
 * `age` is how long ago the item was new.
 */
import { RecommenderError } from '../../errors';
import { nearestName } from '../../nearest-name';
import type { Catalogue, WantedFeature } from '../../types';
import type { ParameterSpec } from '../model';
import { type FeatureReading, KINDS, type Kind, PERIODS } from './feature-values';
import type { T4RecConfig } from './options';

export interface Feature {
  readonly name: string;
  readonly kind: Kind;
  /** As written; absent where nothing was. */
  readonly size?: number;
}

const AGE = 'age';
/** Names that weights have already: of the norm of item vectors, and of what makes a feature as wide as they are. */
const ITEMS = 'items';
export const PROJECTION = '.projection';
/** Spread of the tables at the start. */
const TABLE_STD = 0.09;
/** Rows of the table that a soft one-hot number mixes, unless its size is written, and their width: those of the library. */
const SOFT_ROWS = 10;
const SOFT_COLUMNS = 8;
/** Kinds that are meant where none is written. */
const USUAL: Readonly<Record<string, Kind>> = { hour: 'cyclic', weekday: 'cyclic', [AGE]: 'numeric' };

/** The features that a configuration names. @throws RecommenderError `bad-config` if it is written otherwise. */
export function featuresOf({ features }: T4RecConfig): Feature[] {
  if (features.trim() === '') return [];
  const seen = new Set<string>();
  return features.split(',').map((written) => {
    const [name = '', kind = Object.hasOwn(USUAL, name) ? USUAL[name]! : 'categorical', size, ...more] = written
      .trim()
      .split(':');
    const refuse = (sentence: string): never => {
      throw new RecommenderError(
        'bad-config',
        `transformers4rec: "features" holds "${written}": ${sentence} Write name, name:kind or name:kind:size.`,
      );
    };
    if (name === '' || more.length > 0) refuse('that is not a feature.');
    if (seen.has(name)) refuse('it is named twice.');
    if (name === ITEMS) refuse(`"${ITEMS}" are what every click has already. Rename the column.`);
    const other = [...seen].find((known) => name === known + PROJECTION || known === name + PROJECTION);
    if (other !== undefined) refuse(`its weights would be called as those of "${other}". Rename one of the columns.`);
    seen.add(name);
    if (!KINDS.includes(kind as Kind)) {
      const nearest = nearestName(kind, KINDS);
      refuse(`"${kind}" is not one of ${KINDS.join(', ')}${nearest ? `; the nearest is ${nearest}` : ''}.`);
    }
    if (size === undefined) {
      if (kind === 'cyclic' && !Object.hasOwn(PERIODS, name))
        refuse('a cyclic feature needs its period, such as hour:cyclic:24.');
      return { name, kind: kind as Kind };
    }
    const isWhole = kind !== 'cyclic';
    const n = Number(size);
    if (size.trim() === '' || !(n > 0 && n <= 1e7) || (isWhole && !Number.isInteger(n))) {
      refuse(`"${size}" is not a ${isWhole ? 'whole ' : ''}number above 0.`);
    }
    return { name, kind: kind as Kind, size: n };
  });
}

/** Number of values of a categorical feature: as written, those of clicks, or the largest that an item has. */
function cardinality({ name, size }: Feature, { features, categories }: Catalogue): number {
  const known = size ?? (categories && Object.hasOwn(categories, name) ? categories[name] : undefined);
  if (known !== undefined) return known;
  const values = features && Object.hasOwn(features, name) ? features[name]!.data : undefined;
  if (!values && Object.hasOwn(PERIODS, name)) return PERIODS[name]!;
  if (!values) {
    throw new RecommenderError(
      'bad-config',
      `transformers4rec: neither log nor catalogue have the feature "${name}": write ${name}:categorical:SIZE, or add it.`,
    );
  }
  let most = 0;
  for (const v of values) most = Math.max(most, v);
  return most;
}

/** What is to be found of clicks and items. */
export function wantedFeatures(config: T4RecConfig): WantedFeature[] {
  return featuresOf(config).map(({ name, kind, size }) => {
    if (kind === 'categorical') {
      const otherwise = Object.hasOwn(PERIODS, name) ? ({ otherwise: 'time' } as const) : {};
      return { name, kind: 'category', ...(size !== undefined && { values: size }), ...otherwise };
    }
    if (kind === 'cyclic') return { name, kind: 'angle', ...(Object.hasOwn(PERIODS, name) && { otherwise: 'time' }) };
    return { name, kind: 'number', ...(name === AGE && { otherwise: 'age' }) };
  });
}

/** Whether all features are as wide as the item vector before they are put together. */
export const isElementWise = ({ aggregation }: T4RecConfig): boolean => aggregation !== 'concat';

/** Columns of a feature's vector as its table, or its numbers, give it. */
function columnsOf(feature: Feature, config: T4RecConfig, catalogue: Catalogue): number {
  switch (feature.kind) {
    case 'categorical':
      return Math.ceil(2 * cardinality(feature, catalogue) ** 0.25);
    case 'numeric':
      return isElementWise(config) ? config.itemEmbeddingDim : (feature.size ?? 1);
    case 'soft':
      return SOFT_COLUMNS;
    case 'cyclic':
      return 2;
  }
}

/** Whether a number becomes several columns: as written, and always where it joins the item vector element by element. */
export const isProjected = ({ size }: Feature, config: T4RecConfig): boolean =>
  isElementWise(config) || size !== undefined;

/**
 * Whether a feature is numbers as they are, which are not normalised: a norm over one column would make 0 of every number,
 * and of the two of an angle tell only which is the larger.
 */
export const isBare = (feature: Feature, config: T4RecConfig): boolean =>
  !isElementWise(config) &&
  (feature.kind === 'cyclic' || (feature.kind === 'numeric' && !isProjected(feature, config)));

/** Columns of a click's vector once its features are put together. */
export function mergedColumns(config: T4RecConfig, catalogue: Catalogue): number {
  if (isElementWise(config)) return config.itemEmbeddingDim;
  const columns = featuresOf(config).map((feature) => columnsOf(feature, config, catalogue));
  return columns.reduce((a, b) => a + b, config.itemEmbeddingDim);
}

/** Parameters of the features, with those of the norms of all, the item's included, where they are normalised. */
export function featureParameters(config: T4RecConfig, catalogue: Catalogue): Record<string, ParameterSpec> {
  const { itemEmbeddingDim, inputNorm } = config;
  const specs: Record<string, ParameterSpec> = {};
  const uniform = (rows: number, columns: number, name: string) => {
    const init = { kind: 'uniform', limit: 1 / Math.sqrt(rows) } as const; // as a linear layer of PyTorch starts
    specs[`${name}.w`] = { shape: [rows, columns], init };
    specs[`${name}.b`] = { shape: [columns], init };
  };
  const norm = (name: string, columns: number) => {
    if (!inputNorm) return;
    specs[`${name}.gain`] = { shape: [columns], init: { kind: 'ones' } };
    specs[`${name}.bias`] = { shape: [columns], init: { kind: 'zeros' } };
  };
  norm(`norms.${ITEMS}`, itemEmbeddingDim);
  for (const feature of featuresOf(config)) {
    const name = `features.${feature.name}`;
    const columns = columnsOf(feature, config, catalogue);
    const init = { kind: 'normal', std: TABLE_STD } as const;
    if (feature.kind === 'categorical') {
      specs[`${name}.table`] = { shape: [cardinality(feature, catalogue) + 1, columns], init, zeroRow: true };
    } else if (feature.kind === 'soft') {
      uniform(1, feature.size ?? SOFT_ROWS, name);
      specs[`${name}.table`] = { shape: [feature.size ?? SOFT_ROWS, columns], init };
    } else if (feature.kind === 'numeric' && isProjected(feature, config)) {
      uniform(1, columns, name);
    }
    const isNarrow = isElementWise(config) && columns !== itemEmbeddingDim;
    if (isNarrow) uniform(columns, itemEmbeddingDim, name + PROJECTION);
    if (!isBare(feature, config)) norm(`norms.${feature.name}`, isNarrow ? itemEmbeddingDim : columns);
  }
  return specs;
}

/** How the values of the features are read. */
export const featureReadings = (config: T4RecConfig, catalogue: Catalogue): FeatureReading[] =>
  featuresOf(config).map((feature) => ({
    name: feature.name,
    kind: feature.kind,
    values: feature.kind === 'categorical' ? cardinality(feature, catalogue) : 0,
    period: feature.size ?? PERIODS[feature.name] ?? 1,
  }));
