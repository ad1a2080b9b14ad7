import { allModels } from '../models/index';

/** Every architecture by name. A page loads one of them; the command line lists them all. */
export const architectures = await allModels();
