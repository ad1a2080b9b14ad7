/**
 * An artifact as files. `manifest.json` names every other file with its length and SHA-256, so that a damaged, mixed
 * or half-copied folder is refused as a whole.
 *
 *     manifest.json         formatVersion, name, version, architecture, config, items, features, scale, mix, aliases, files,
 *                           golden, training, licence, modelCard
 *     weights.safetensors   tensors by name; item tables [n + 1, d], row 0 is padding
 *     items.json            ["id of index 1", "id of index 2", …]
 *     catalogue.json        optional: [{ "id", "title", "url", "image", "price", … }, …]
 *     aliases.json          optional: { "item id": { "also": ["other id", …], "group": "item_group_id" }, … }
 *     strategies.json       optional: what `bought-together` and `trending` answer by; `strategies.ts` says how
 *     rules.json            optional: the shop's rules for its slots; `rules.ts` says which
 *     plan.bin              optional: the network as a compiled plan; `compute/plan/format.ts` says how
 */
import { RecommenderError } from '../errors';
import { checkAliases } from './aliases';
import type { Artifact } from './artifact';
import { checkCatalogue } from './catalogue-file';
import { quote } from './json';
import {
  ALIASES,
  CATALOGUE,
  checkItems,
  checkManifest,
  type FileEntry,
  FORMAT_VERSION,
  ITEMS,
  MANIFEST,
  MAX_MANIFEST_BYTES,
  type Manifest,
  PLAN,
  RULES,
  STRATEGIES,
  WEIGHTS,
} from './manifest';
import { checkFeatures } from './manifest-features';
import { PRECISIONS, type Precision, packTensors } from './pack-tensors';
import { sha256 } from './sha256';
import { checkStrategies, encodeStrategies } from './strategies';
import { checkTensors } from './verify';
import { writeSafetensors } from './write-safetensors';

/**
 * The files of an artifact, ready to be written into one folder.
 *
 * @param artifact Checked as `openArtifact` checks it: what this writes, that reads.
 * @param options `precision` of the weights, default `f32`.
 * @returns File contents by name, `manifest.json` last: a folder without it is never taken for an artifact.
 * @throws RecommenderError `bad-artifact` if parts disagree, `diverged` if a weight is not finite.
 * @throws RangeError if the precision is unknown.
 */
export async function packArtifact(
  artifact: Artifact,
  options: { readonly precision?: Precision } = {},
): Promise<Map<string, Uint8Array>> {
  const { precision = 'f32' } = options;
  if (!PRECISIONS.includes(precision)) {
    throw new RangeError(`precision must be one of ${PRECISIONS.join(', ')}, got ${quote(String(precision))}.`);
  }
  const { info, itemIds, tensors, catalogue, aliases, strategies, rules, plan } = artifact;
  checkItems(itemIds, info.items);
  checkTensors(tensors, info.items);
  const files = new Map<string, Uint8Array>();
  files.set(WEIGHTS, writeSafetensors(await packTensors(tensors, precision), { format: 'aisle', precision }));
  files.set(ITEMS, utf8(`${JSON.stringify(itemIds)}\n`));
  if (catalogue) files.set(CATALOGUE, utf8(`${JSON.stringify(checkCatalogue(catalogue))}\n`));
  if (aliases) {
    const byId = Object.fromEntries(aliases);
    checkAliases(byId);
    files.set(ALIASES, utf8(`${JSON.stringify(byId)}\n`));
  }
  if (strategies) {
    const text = encodeStrategies(strategies);
    checkStrategies(JSON.parse(text), info.items);
    files.set(STRATEGIES, utf8(`${text}\n`));
  }
  if (rules) files.set(RULES, utf8(`${JSON.stringify(rules, null, 2)}\n`));
  if (plan) files.set(PLAN, plan);
  const entries: [string, FileEntry][] = [];
  for (const [name, bytes] of files) entries.push([name, { sha256: await sha256(bytes), bytes: bytes.length }]);
  const { name, version, architecture, config, items, features, scale, mix, golden, training, licence, modelCard } =
    info;
  const manifest: Manifest = {
    formatVersion: FORMAT_VERSION,
    name,
    version,
    architecture,
    config,
    items,
    ...(features && { features }),
    ...(scale !== undefined && { scale }),
    ...(mix && { mix }),
    ...(aliases && { aliases: ALIASES }),
    files: Object.fromEntries(entries),
    golden,
    training,
    licence,
    modelCard,
  };
  const json = JSON.stringify(manifest, null, 2);
  checkFeatures(checkManifest(JSON.parse(json)).features ?? {});
  const bytes = utf8(`${json}\n`);
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new RecommenderError(
      'bad-artifact',
      `${MANIFEST} would be ${bytes.length} bytes long, and at most ${MAX_MANIFEST_BYTES} are read; shorten the model card.`,
    );
  }
  return files.set(MANIFEST, bytes);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
