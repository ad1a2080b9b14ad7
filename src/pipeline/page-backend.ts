/** What computes in a page's worker. */
import type { BackendOptions } from '../compute/backends/options';
import { wasmFiles } from '../compute/backends/wasm-files';
import type { Slice } from '../compute/executor';
import type { BackendChoice, BackendName } from '../compute/types';
import type { Observer } from './observer';
import { startFirstOf } from './start-backend';

export { hasGpu } from '../compute/device-description';

export const pageBackend: BackendOptions = { wasmPath: wasmFiles };

/** `startFirstOf` in a page. @throws RecommenderError as there. */
export const startInPage = (
  slice: Pick<Slice, 'start'>,
  choice: BackendChoice,
  observer: Observer,
): Promise<BackendName> => startFirstOf(slice, choice, () => pageBackend, observer);
