/** An engine in this process that reads artifacts from folders. */
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BackendChoice } from '../../compute/types';
import { createLocalEngine } from '../../engine/local-engine';
import { RecommenderError } from '../../errors';
import { isNeural } from '../../ranking/architecture';
import { defined } from '../defined';
import { requirePlan } from '../require-plan';
import { finishReplacing, readArtifactFolder, refuseCheckpoint } from './artifact-folder';
import { backendOptions } from './backend';

/**
 * Loads the artifact in a folder.
 *
 * @param folder Path, relative to the working directory where it is not absolute.
 * @throws RecommenderError `bad-artifact` that names the file, or for `plan` where there is none; `bad-config` for `plan` of a counting model;
 *   `no-backend`; `aborted`.
 */
export async function loadEngine(folder: string, backend: BackendChoice, signal?: AbortSignal) {
  await finishReplacing(folder);
  await refuseCheckpoint(folder);
  const engine = createLocalEngine({ fetchFile: readFromDisk, ...(await backendOptions(backend)) });
  try {
    const modelUrl = pathToFileURL(`${resolve(folder)}/`).href;
    return { engine, model: await engine.load({ modelUrl, backend }, defined({ signal })) };
  } catch (error) {
    await engine.dispose();
    if (!(error instanceof RecommenderError) || error.code === 'aborted') throw error;
    if (backend === 'plan' && error.code === 'no-backend') await refuseWithoutPlan(folder, error);
    throw new RecommenderError(error.code, `${folder}: ${error.message}`, { cause: error });
  }
}

/** Where a plan alone may compute, one that is missing or damaged is the artifact's fault, and counting has none. */
async function refuseWithoutPlan(folder: string, cause: RecommenderError): Promise<void> {
  const artifact = await readArtifactFolder(folder);
  const { architecture, name } = artifact.info;
  if (!isNeural(architecture)) {
    throw new RecommenderError('bad-config', `The model "${name}" only counts: leave \`backend\` plan out.`, { cause });
  }
  await requirePlan(artifact, `${folder}: `);
}

/** Streams the file, so that one that is too long is not read to its end. */
async function readFromDisk(url: string, signal: AbortSignal): Promise<Response> {
  const path = fileURLToPath(url);
  try {
    const file = await open(path);
    return new Response(Readable.toWeb(file.createReadStream({ signal })) as ReadableStream<Uint8Array<ArrayBuffer>>);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new RecommenderError('bad-artifact', `${basename(path)} is missing; pass the whole folder of an artifact.`);
  }
}
