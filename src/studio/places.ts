/** Where the studio's files are in the browser's private storage. */

/** The folder that is the studio's own. */
export const FOLDER = 'aisle-studio';
/** The folder in it that the demo shop's model is served from. */
export const SERVED = 'models';
