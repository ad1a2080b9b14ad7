/** Version of this package. Sources import nothing from outside `src/`; a test holds this equal to package.json. */
export const VERSION = '0.1.0';
