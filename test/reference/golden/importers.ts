/** The product's importers, which in golden files also meet keys that say what is computed anyway. */
import type { Importer } from '../../../src/checkpoint/imports/importer';
import { importers as product } from '../../../src/checkpoint/imports/index';

/** Takes these keys with these values alone. */
const saying = (importer: Importer, computed: Readonly<Record<string, unknown>>): Importer => ({
  ...importer,
  config(reference) {
    for (const [key, value] of Object.entries(computed)) {
      if (!Object.hasOwn(reference, key) || reference[key] === value) continue;
      throw new Error(`"${key}" must be ${JSON.stringify(value)}, got ${JSON.stringify(reference[key])}.`);
    }
    return importer.config(
      Object.fromEntries(Object.entries(reference).filter(([key]) => !Object.hasOwn(computed, key))),
    );
  },
});

export const importers = {
  ...product,
  gru4rec: saying(product.gru4rec, { logqSplit: 'nominal' }), // the port splits at the nominal batch size
  srgnn: saying(product.srgnn, { dropout: 0 }),
  gsasrec: saying(product.gsasrec, { ff_activation: 'relu' }),
  cl4srec: saying(product.cl4srec, { sim: 'dot' }), // of the joint loss; the cosine has a loss of its own
  transformers4rec: saying(product.transformers4rec, { dropout: 0 }),
};
