/**
 * Counting mixed into the network of an artifact, which holds both: what other sessions went on to, beside what was learnt.
 *
 *     p(i) = (1 − w) softmax(β s)ᵢ + w cᵢ / Σⱼ cⱼ
 *
 * s are the network's scores and β their scale, c ≥ 0 those of the counting model, w its share. The session goes through the network
 * once. That neighbours and a network know different things, Jannach and Ludewig have shown with GRU4Rec, RecSys 2017,
 * https://doi.org/10.1145/3109859.3109872.
 */
import {
  type Artifact,
  type ArtifactInfo,
  MIX_PREFIX,
  type MixedCounter,
  SUPPORT_TENSOR,
} from '../checkpoint/artifact';
import { show } from '../checkpoint/json';
import { record } from '../checkpoint/manifest';
import { RecommenderError } from '../errors';
import { baselines } from '../neighbours/index';
import type { NdArray, Scorer } from '../types';
import type { LoadedScorer } from './architecture';
import { baselineScorer } from './baseline-scorer';
import { combined } from './combine';
import { openSession } from './session-scorer';

/** Of each artifact's tensors, made once: what is learnt on a device leaves it as it is. */
const counters = new WeakMap<Artifact['tensors'], Scorer>();

/**
 * What answers in the place of an artifact's network; the network itself where nothing is mixed in. It owns the network, which is freed
 * also where this throws.
 *
 * @param scale What turns the network's scores into logits. Default: as its artifact or its loss says.
 * @throws RecommenderError `bad-artifact` for a share or a model that cannot be mixed in; `weights-mismatch`.
 */
export function withCounting(artifact: Artifact, network: LoadedScorer, scale = network.network?.scale): LoadedScorer {
  const { info, tensors } = artifact;
  if (!info.mix) return network;
  try {
    if (scale === undefined) throw bad(info, 'a network whose scores no scale turns into probabilities');
    const { share } = checked(info.mix, info);
    const counter = counters.get(tensors) ?? counterOf(artifact, info.mix);
    counters.set(tensors, counter);
    return mixed({ scorer: network, scale }, counter, share);
  } catch (error) {
    network.dispose();
    throw error;
  }
}

function mixed(
  { scorer: network, scale }: { readonly scorer: LoadedScorer; readonly scale: number },
  counter: Scorer,
  share: number,
): LoadedScorer {
  const both = (score: Scorer['score']): Scorer =>
    combined(
      [
        { scorer: { ...network, score }, isCounted: false, scale, weight: 1 - share },
        { scorer: counter, isCounted: true, weight: share },
      ],
      'probabilities',
    );
  return {
    ...both((sessions) => network.score(sessions)),
    ...(network.network && { network: network.network }),
    openSession() {
      const running = openSession(network);
      const { items, score } = both(([session]) => running.score(session!));
      const forget = () => running.forget();
      return { items, score: (session) => score([session]), forget, dispose: () => running.dispose() };
    },
    dispose: () => network.dispose(),
  };
}

/** Anybody may have written it. */
function checked(mix: MixedCounter, info: ArtifactInfo): MixedCounter {
  const { share, architecture, config } = mix;
  if (typeof share !== 'number' || !(share > 0 && share < 1))
    throw bad(info, `the share ${show(share)}, expected a number between 0 and 1`);
  if (typeof architecture !== 'string' || !Object.hasOwn(baselines, architecture))
    throw bad(info, `${show(architecture)}, which is no model that counts`);
  record(config, 'mix.config');
  return mix;
}

function counterOf({ info, tensors, itemIds }: Artifact, { architecture, config }: MixedCounter): Scorer {
  const counted = Object.entries(tensors).flatMap(([name, array]): [string, NdArray][] =>
    name.startsWith(MIX_PREFIX) ? [[name.slice(MIX_PREFIX.length), array]] : [],
  );
  return baselineScorer(baselines[architecture]!, {
    info: { ...info, architecture, config },
    tensors: { ...Object.fromEntries(counted), [SUPPORT_TENSOR]: tensors[SUPPORT_TENSOR]! },
    itemIds,
  });
}

const bad = ({ name }: ArtifactInfo, what: string): RecommenderError =>
  new RecommenderError(
    'bad-artifact',
    `The artifact "${name}" mixes in ${what}. Write it again with aisle pack --mix.`,
  );
