/** `npm test` has built everything; a single test file first builds what is missing or older than the sources. */
import { buildChanged } from '../build/built';

export default (): void => buildChanged();
