/** Runs one golden file and says how it came out: in Node, and in a page. */
import { decodeSafetensors } from '../../../src/checkpoint/decode-safetensors';
import { caserGolden } from './caser';
import { cl4srecGolden, cl4srecNoise } from './cl4srec';
import { type Comparison, type Computed, compare, type GoldenFile, type Noise } from './compare';
import { gru4recGolden } from './gru4rec';
import { gsasrecGolden } from './gsasrec';
import { sasrecGolden } from './sasrec';
import { compareNeighbours } from './session-rec';
import { srgnnGolden } from './srgnn';
import { transformers4recGolden } from './transformers4rec';

export interface GoldenRow extends Omit<Comparison, 'state'> {
  readonly file: string;
  readonly state: Comparison['state'] | 'unknown';
  /** Why there is no comparison. */
  readonly reason?: string;
}

/** Which code computes a file, notices by the repository that its `reference` names, and what it knows only roughly. */
interface Case {
  readonly repository: string;
  readonly compute: (file: GoldenFile) => Promise<Computed>;
  readonly noise?: (file: GoldenFile) => Noise;
}

const CASES: readonly Case[] = [
  { repository: 'hidasib/GRU4Rec_PyTorch_Official', compute: gru4recGolden },
  { repository: 'pmixer/SASRec.pytorch', compute: sasrecGolden },
  { repository: 'asash/gSASRec-pytorch', compute: gsasrecGolden },
  { repository: 'YChen1993/CoSeRec', compute: cl4srecGolden, noise: cl4srecNoise },
  { repository: 'CRIPAC-DIG/SR-GNN', compute: srgnnGolden },
  { repository: 'graytowne/caser_pytorch', compute: caserGolden },
  { repository: 'NVIDIA-Merlin/Transformers4Rec', compute: transformers4recGolden },
];

/** Of which the files are JSON. */
const NEIGHBOURS = 'rn5l/session-rec';

export function readGolden(name: string, bytes: Uint8Array): GoldenFile {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const config = JSON.parse(metadata?.config ?? '{}') as Readonly<Record<string, unknown>>;
  return { name, tensors, reference: metadata?.reference ?? '', config };
}

/** A backend must be running, with training registered. */
export async function runFile(name: string, bytes: Uint8Array, gpu: boolean): Promise<GoldenRow> {
  const none = { file: name, compared: 0, total: 0 };
  let reference: string;
  let file: GoldenFile | undefined;
  try {
    if (name.endsWith('.json')) {
      reference = String((JSON.parse(new TextDecoder().decode(bytes)) as { reference?: unknown }).reference ?? '');
    } else {
      file = readGolden(name, bytes);
      reference = file.reference;
    }
  } catch (error) {
    return { ...none, state: 'unknown', reason: (error as Error).message };
  }
  try {
    if (!file && reference.includes(NEIGHBOURS)) return { file: name, ...compareNeighbours(bytes) };
    const built = CASES.find(({ repository }) => reference.includes(repository));
    if (file && built) {
      return { file: name, ...compare(file, await built.compute(file), gpu, built.noise?.(file)) };
    }
  } catch (error) {
    return { ...none, state: 'miss', reason: (error as Error).message };
  }
  return {
    ...none,
    state: 'unknown',
    reason: reference ? `no code for the reference "${reference}" in this format.` : 'it names no reference.',
  };
}
