/// <reference types="vite/client" />
/** Version of this package. Sources import nothing from outside `src/`; a test holds this equal to package.json. */
export const VERSION = '0.2.0';

/** Hash of the code that trains and evaluates, from the build: cached results are valid for the same code only. */
export const codeHash = (): string => import.meta.env['CODE_HASH'];
