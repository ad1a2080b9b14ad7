/** The field `features` of `manifest.json`. Apart from the rest, since few models read more of a click than its item. */
import type { ClickFeature, ClickFeatures } from '../types';
import { quote } from './json';
import { expected, record } from './manifest';

/** @throws RecommenderError `bad-artifact` that names the field, what was expected and what came. */
export function checkFeatures(value: unknown): ClickFeatures {
  const checked = Object.entries(record(value, 'features')).map(([name, entry]): [string, ClickFeature] => {
    const field = `features[${quote(name)}]`;
    const { kind, values, mean, deviation } = record(entry, field);
    switch (kind) {
      case 'category':
        if (!Array.isArray(values) || !values.every((value) => typeof value === 'string'))
          throw expected(`${field}.values`, 'a list of texts', values);
        return [name, { kind, values }];
      case 'number':
      case 'age':
        if (typeof mean !== 'number') throw expected(`${field}.mean`, 'a number', mean);
        if (typeof deviation !== 'number' || deviation <= 0) {
          throw expected(`${field}.deviation`, 'a number above 0', deviation);
        }
        return [name, { kind, mean, deviation }];
      case 'angle':
        return [name, { kind }];
      default:
        throw expected(`${field}.kind`, 'category, number, angle or age', kind);
    }
  });
  return Object.fromEntries(checked);
}
