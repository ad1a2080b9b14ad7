/** An artifact with all of its files, wherever they are, and what they hold. */
import {
  type Artifact,
  type ArtifactInfo,
  MIX_PREFIX,
  type OpenedArtifact,
  SUPPORT_TENSOR,
} from '../checkpoint/artifact';
import { PLAN, RULES, STRATEGIES, WEIGHTS } from '../checkpoint/manifest';
import { openArtifact } from '../checkpoint/open';
import { readSafetensors } from '../checkpoint/safetensors';
import { checkStrategies } from '../checkpoint/strategies';
import { RecommenderError } from '../errors';

export interface WholeArtifact {
  readonly artifact: OpenedArtifact;
  /** The files that it was read from, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads an artifact with every check.
 *
 * @param where Starts every message.
 * @param read As `openArtifact` takes it.
 * @throws RecommenderError `bad-artifact` that names the file, tensor or field at fault.
 */
export async function openWhole(
  where: string,
  read: (name: string, maxBytes: number) => Promise<Uint8Array | undefined>,
): Promise<WholeArtifact> {
  const files = new Map<string, Uint8Array>();
  try {
    const artifact = await openArtifact(async (name, maxBytes) => {
      const bytes = await read(name, maxBytes);
      if (bytes) files.set(name, bytes);
      return bytes;
    });
    const { further: json, bytes } = artifact;
    const [strategies, rules, plan] = await Promise.all([json(STRATEGIES), json(RULES), bytes(PLAN)]);
    const further: Pick<Artifact, 'strategies' | 'rules' | 'plan'> = {
      ...(strategies !== undefined && { strategies: checkStrategies(strategies, artifact.info.items) }),
      ...(Array.isArray(rules) && { rules }),
      ...(plan && { plan }),
    };
    return { artifact: { ...artifact, ...further }, files };
  } catch (error) {
    if (!(error instanceof RecommenderError)) throw error;
    throw new RecommenderError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}

/** What `aisle inspect DIR` prints. */
export interface ArtifactSummary extends ArtifactInfo {
  /** Length of each file in bytes. */
  readonly files: Readonly<Record<string, number>>;
  /** Of all files together. */
  readonly bytes: number;
  /** Numbers in the weights that are floats: the architecture's own. */
  readonly parameters: number;
  /** Every tensor as stored. */
  readonly tensors: readonly { readonly name: string; readonly type: string; readonly shape: readonly number[] }[];
  /** Events of all items in the training log. */
  readonly events: number;
  /** Products in `catalogue.json`; absent without one. */
  readonly products?: number;
}

export function summariseArtifact({ artifact, files }: WholeArtifact): ArtifactSummary {
  const lengths = Object.fromEntries([...files].map(([name, { length }]) => [name, length]));
  const stored = readSafetensors(files.get(WEIGHTS)!, WEIGHTS).tensors;
  const floats = Object.entries(artifact.tensors).filter(
    ([name, { data }]) => data instanceof Float32Array && !name.startsWith(MIX_PREFIX),
  );
  const support = artifact.tensors[SUPPORT_TENSOR]!.data as Int32Array;
  return {
    ...artifact.info,
    files: lengths,
    bytes: Object.values(lengths).reduce((sum, length) => sum + length, 0),
    parameters: floats.reduce((sum, [, { data }]) => sum + data.length, 0),
    tensors: [...stored]
      .map(([name, { dtype, shape }]) => ({ name, type: dtype, shape }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    events: support.subarray(1).reduce((sum, count) => sum + count, 0),
    ...(artifact.catalogue && { products: artifact.catalogue.length }),
  };
}
