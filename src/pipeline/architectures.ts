import { allSpecs } from '../models/index';

/** The specification of every architecture by name. A page loads one of them; the command line lists them all. */
export const architectures = await allSpecs();
