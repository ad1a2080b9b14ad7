/** What golden files say of recommending, computed by compiled plans. */
import type { Importer } from '../../../src/checkpoint/imports/importer';
import { type PlanInput, startPlan } from '../../../src/compute/plan/runtime';
import { caser } from '../../../src/models/caser';
import { cl4srec } from '../../../src/models/cl4srec';
import { gru4rec } from '../../../src/models/gru4rec';
import type { SessionModel } from '../../../src/models/model';
import { sasrec } from '../../../src/models/sasrec';
import { srgnn } from '../../../src/models/srgnn';
import { transformers4rec } from '../../../src/models/transformers4rec/transformers4rec';
import { compilePlan } from '../../../src/ranking/compile-plan';
import { CLICK, STATE } from '../../../src/ranking/plan-scorer';
import { loadPlanModule } from '../../compute/plan/module';
import { type Comparison, compare, type GoldenFile } from './compare';
import { importers } from './importers';
import { imported } from './weights';

/** Sessions in rows, and scores of all items, some of them behind columns of padding. */
interface Case {
  readonly repository: string;
  readonly importer: Importer;
  readonly model: unknown;
  readonly sessions: string;
  readonly scores: string;
  readonly before: number;
}

const CASES: readonly Case[] = [
  {
    repository: 'pmixer/SASRec.pytorch',
    importer: importers.sasrec,
    model: sasrec,
    sessions: 'inputs/seq',
    scores: 'outputs/all_item_logits',
    before: 1,
  },
  {
    repository: 'asash/gSASRec-pytorch',
    importer: importers.gsasrec,
    model: sasrec,
    sessions: 'inputs/predict_input',
    scores: 'outputs/all_item_scores',
    before: 1,
  },
  {
    repository: 'YChen1993/CoSeRec',
    importer: importers.cl4srec,
    model: cl4srec,
    sessions: 'inputs/seq',
    scores: 'outputs/all_item_scores',
    before: 1,
  },
  {
    repository: 'CRIPAC-DIG/SR-GNN',
    importer: importers.srgnn,
    model: srgnn,
    sessions: 'inputs/sessions',
    scores: 'outputs/scores',
    before: 0,
  },
  {
    repository: 'graytowne/caser_pytorch',
    importer: importers.caser,
    model: caser,
    sessions: 'inputs/sequences',
    scores: 'outputs/all_item_scores',
    before: 1,
  },
  {
    repository: 'NVIDIA-Merlin/Transformers4Rec',
    importer: importers.transformers4rec,
    model: transformers4rec,
    sessions: 'inputs/item_ids',
    scores: 'outputs/infer/scores',
    before: 1,
  },
  {
    repository: 'hidasib/GRU4Rec_PyTorch_Official',
    importer: importers.gru4rec,
    model: gru4rec,
    sessions: 'inputs/steps_in_idx',
    scores: 'outputs/steps_scores',
    before: 0,
  },
];

/**
 * A backend must be running, on which networks are traced.
 *
 * @returns Undefined for a file that recommends nothing, or by an order of clicks that it gives itself.
 */
export async function planGolden(file: GoldenFile): Promise<Comparison | undefined> {
  const found = CASES.find(({ repository }) => file.reference.includes(repository));
  const expected = found && file.tensors[found.scores];
  if (!found || !expected || file.tensors['inputs/infer/perm_mask']) return undefined;
  const model = found.model as SessionModel<Readonly<Record<string, unknown>>>;
  const { config, catalogue, load } = imported(file, found.importer, model);
  const params = load('weights/');
  try {
    const plan = compilePlan({ model, params, config, catalogue });
    const running = startPlan(
      await loadPlanModule(),
      plan,
      (name) => params[name] && { data: params[name].dataSync<'float32'>() },
    );
    const scoresBy = (inputs: Readonly<Record<string, PlanInput>>) => {
      const [, ...state] = running.run(inputs).map((part) => part.slice());
      return { scores: running.items.scores().slice(), state };
    };
    const n = catalogue.items;
    const { data, shape } = file.tensors[found.sessions]!;
    const width = shape.at(-1)!;
    const columns = expected.shape.at(-1)!;
    const rows = expected.data.length / columns;
    const ours = Float32Array.from(expected.data); // what is no item's, and of no session, is not asked
    // Transformers4Rec divides all scores by this, the product those of the loss.
    const temperature = (config.softmaxTemperature as number | undefined) || 1;
    const put = (row: number, scores: Float32Array): void =>
      ours.set(
        scores.map((score) => score / temperature),
        row * columns + found.before,
      );
    if (model.stepping) {
      // Each step of a row carries on the state of a row before it.
      const previous = file.tensors['inputs/steps_prev_row']!.data;
      const start = model.stepping.start(config, 1).map((tensor) => tensor.dataSync() as Float32Array);
      const states: Float32Array[][] = [];
      for (let cell = 0; cell < rows; cell++) {
        const item = data[cell]!;
        if (item < 0) continue;
        const source = previous[cell]!;
        const before = source < 0 ? start : states[cell - (cell % width) - width + source]!;
        const parts = before.map((part, i) => [`${STATE}${i}`, { data: part, shape: [1, part.length] }] as const);
        const click = { data: Int32Array.of(item + 1), shape: [1] };
        const { scores, state } = scoresBy({ ...Object.fromEntries(parts), [CLICK]: click });
        states[cell] = state;
        put(cell, scores);
      }
    } else {
      const users = file.tensors['inputs/users']?.data;
      for (let row = 0; row < rows; row++) {
        const items = (data as Int32Array)
          .subarray(row * width, (row + 1) * width)
          .filter((item) => item > 0 && item <= n);
        const session = { items, ...(users && { user: users[row]! }) };
        put(row, scoresBy(model.prepare([session], config, catalogue)).scores);
      }
    }
    return compare({ ...file, tensors: { [found.scores]: expected } }, { [found.scores]: ours }, false);
  } finally {
    for (const tensor of Object.values(params)) tensor.dispose();
  }
}
