/** Engines that are disposed of when the test that opens them ends. */
import { onTestFinished } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import type { BackendChoice } from '../../src/compute/types';
import { createLocalEngine, type LocalEngineOptions } from '../../src/engine/local-engine';
import type { Engine } from '../../src/engine/types';
import { wasmPath } from '../compute/backends/start';
import { folderOf, MODEL_URL, serveFolder } from './fixture';

export function openEngine(options: LocalEngineOptions): Engine {
  const engine = createLocalEngine({ wasmPath, ...options });
  onTestFinished(() => engine.dispose());
  return engine;
}

/** An engine that has loaded the artifact. */
export async function loadedEngine(artifact: Artifact, backend: BackendChoice): Promise<Engine> {
  const engine = openEngine({ fetchFile: serveFolder(await folderOf(artifact)) });
  await engine.load({ modelUrl: MODEL_URL, backend });
  return engine;
}
