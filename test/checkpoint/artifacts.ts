/** A small artifact, and its folder in memory. */
import type { Artifact } from '../../src/checkpoint/artifact';
import { MANIFEST } from '../../src/checkpoint/manifest';
import { sha256 } from '../../src/checkpoint/sha256';

/** Ids that break whatever joins, splits, escapes or looks up carelessly. */
export const ODD_IDS = [
  'a',
  'b,c',
  '"quoted"',
  '🧦',
  '__proto__',
  'constructor',
  ' ',
  '\u0000',
  'é',
  'e\u0301',
  '\ud800',
];

export function smallArtifact(): Artifact {
  const n = ODD_IDS.length;
  const width = 16;
  const items = Float32Array.from({ length: (n + 1) * width }, (_, i) => (i < width ? 0 : Math.fround(Math.sin(i))));
  return {
    info: {
      name: 'small',
      version: '1.0.0',
      architecture: 'gru4rec',
      config: { layers: [16], loss: 'cross-entropy', learningRate: 0.05, constrainedEmbedding: true },
      items: n,
      scale: 1.5,
      golden: { session: [1, 2], top: [{ index: 3, score: 0.5 }] },
      training: { seed: 1, epochs: 2 },
      licence: 'MIT',
      modelCard: '# Small\n',
    },
    itemIds: ODD_IDS,
    tensors: {
      items: { data: items, shape: [n + 1, width] },
      bias: { data: new Float32Array(n + 1).fill(0.25, 1), shape: [n + 1] },
      'gru.0.wh': { data: Float32Array.from({ length: 48 * 16 }, (_, i) => Math.cos(i)), shape: [16, 48] },
      'catalogue.support': { data: Int32Array.from({ length: n + 1 }, (_, i) => i), shape: [n + 1] },
    },
    catalogue: [{ id: 'a', title: 'Sock', price: 3.5, category: ['clothes', 'socks'], features: { size: 42 } }],
  };
}

export type Folder = Map<string, Uint8Array>;

export function reader(folder: Folder): (name: string) => Promise<Uint8Array | undefined> {
  return async (name) => folder.get(name);
}

/** Changes the manifest's JSON. */
export function editManifest(folder: Folder, edit: (manifest: Record<string, unknown>) => void): Folder {
  const manifest = JSON.parse(new TextDecoder().decode(folder.get(MANIFEST)));
  edit(manifest);
  return new Map(folder).set(MANIFEST, new TextEncoder().encode(JSON.stringify(manifest)));
}

/** Replaces a file and its entry in the manifest, as a careless exporter would: the hashes are right, the content is not. */
export async function replaceFile(folder: Folder, name: string, content: Uint8Array | string): Promise<Folder> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const entry = { sha256: await sha256(bytes), bytes: bytes.length };
  const edited = editManifest(folder, (manifest) => {
    manifest['files'] = { ...(manifest['files'] as object), [name]: entry };
  });
  return edited.set(name, bytes);
}
