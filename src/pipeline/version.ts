/// <reference types="vite/client" />
/** Version of this package. Sources import nothing from outside `src/`; a test holds this equal to package.json. */
export const VERSION = '0.1.0';

/** Of the code that trains and evaluates, by the build: what is kept of a result counts for the same code only. */
export const codeHash = (): string => import.meta.env['CODE_HASH'];
