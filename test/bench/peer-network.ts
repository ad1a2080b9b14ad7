/** The networks whose inference is timed: with the weights of the peers in `../shared/peers` where there are any, else with random ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import { importers } from '../../src/checkpoint/imports/index';
import { toOurs } from '../../src/checkpoint/imports/name-map';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { initialise } from '../../src/models/initialise';
import type { SessionModel } from '../../src/models/model';

export type PeerName = 'gru4rec' | 'sasrec';
export const PEER_ITEMS = 10_000;
const CONFIG = {
  gru4rec: { layers: [100], constrainedEmbedding: true },
  sasrec: { norm: 'pre', hiddenUnits: 64, maxlen: 50, numBlocks: 2, numHeads: 2 },
};

/** @param folder Of the peers. */
export async function peerNetwork(name: PeerName, folder: string) {
  const file = `${name}-10k.safetensors`;
  const { tensors } = decodeSafetensors(readFileSync(join(folder, file)), file);
  // The peer calls its one cell `cell`; the official code has a list of them.
  const named = Object.fromEntries(
    Object.entries(tensors).map(([key, value]) => [key.replace(/^cell\./, 'G.0.'), value]),
  );
  const model = (await models[name]!.network()) as unknown as SessionModel<object>;
  const config = configure(model, CONFIG[name]);
  const weights = toOurs(importers[name].map(config as Record<string, unknown>, PEER_ITEMS), named);
  return { model, config, weights, catalogue: { items: PEER_ITEMS } };
}

/** An architecture at its defaults, with random weights. */
export async function randomNetwork(name: string, over: Readonly<Record<string, unknown>> = {}, items = PEER_ITEMS) {
  const catalogue = { items };
  const model = (await models[name]!.network()) as unknown as SessionModel<object>;
  const config = configure(model, over);
  return { model, config, weights: initialise(model.parameters(config, catalogue), 1), catalogue };
}

const isPeer = (name: string): name is PeerName => Object.hasOwn(CONFIG, name);

/** @param folder Of the peers; undefined where they are not here. */
export const timedNetwork = (name: string, folder: string | undefined) =>
  folder && isPeer(name) ? peerNetwork(name, folder) : randomNetwork(name);

/** Clicks of a session: those of the peer; of the others, as shops have them. */
export const CLICKS: Readonly<Record<string, number>> = { gru4rec: 1, sasrec: 50 };
export const OTHER_CLICKS = 10;
