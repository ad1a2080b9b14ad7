import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPLACED, withoutDestructuring } from '../../src/build/lean-tensorflow';
import { ROOT } from './built';

test.each(Object.keys(REPLACED))('the bundles of pages replace %s, which there is', (path) => {
  expect(existsSync(join(ROOT, 'node_modules/@tensorflow', path))).toBe(true);
});

test('what a module takes of a namespace is taken by name', () => {
  const imports = "import * as shared from './shared';\nimport { backend_util, util } from '@tensorflow/tfjs';\n";
  expect(withoutDestructuring(`${imports}const { add: addImpl, cast, } = shared;\n`)).toBe(
    `${imports}const addImpl = shared.add; const cast = shared.cast;\n`,
  );
  expect(withoutDestructuring(`${imports}const { getBroadcastDims } = backend_util;`)).toBe(
    `${imports}const getBroadcastDims = backend_util.getBroadcastDims;`,
  );
});

test('what is taken of anything else stays as it is', () => {
  const code = "import { util } from './util';\nconst { a } = inputs;\nfunction f() {\n  const { b } = util;\n}\n";
  expect(withoutDestructuring(code)).toBe(code);
});
