import { expect, test, vi } from 'vitest';
import type { Delta } from '../../src/checkpoint/delta';
import { createPersonalisation } from '../../src/engine/personalisation';
import type { Placement } from '../../src/engine/placement';
import { RecommenderError } from '../../src/errors';

function faked() {
  const { signal } = new AbortController();
  const artifact = { hash: 'a', info: { name: 'model' }, tensors: {} };
  const run = vi.fn();
  const placement = { artifact, network: { scale: 1 }, run } as unknown as Placement;
  const personalisation = createPersonalisation({ call: (work) => work(signal), placedModel: () => placement });
  const byTheModelAlone = async (): Promise<boolean> => {
    run.mockImplementation((work) => work({ artifact, activeAdapter: () => undefined })); // it can set none
    return personalisation.scored(placement, async () => true, signal);
  };
  return { ...personalisation, placement, run, signal, byTheModelAlone };
}
const DELTA = { base: { hash: 'a' } } as Delta;
/** A call of the placement that ends when it is told to. */
function held(run: ReturnType<typeof vi.fn>) {
  let [end, fail] = [(_?: unknown) => {}, (_: Error) => {}];
  run.mockReturnValueOnce(
    new Promise((resolve, reject) => {
      [end, fail] = [resolve, reject];
    }),
  );
  return { end: () => end(), fail: (error: Error) => fail(error) };
}

/** What was learnt makes a score that is NaN; the model alone is asked, and does not answer yet. */
async function refusing() {
  const { setAdapter, scored, placement, run, signal, ...rest } = faked();
  await setAdapter(DELTA);
  run.mockRejectedValueOnce(new RecommenderError('not-finite', 'a score is NaN'));
  const again = held(run);
  const blamed = scored(placement, async () => 0, signal);
  await vi.waitFor(() => expect(run).toHaveBeenCalledTimes(4));
  return { ...rest, setAdapter, again, blamed };
}

test('what is taken off while what was learnt is being checked stays off', async () => {
  const { setAdapter, run, byTheModelAlone } = faked();
  const check = held(run);
  const late = setAdapter(DELTA);
  await setAdapter(null);
  check.end();
  await late;
  expect(await byTheModelAlone()).toBe(true);
});

test('a refusal is not reported for what was set while it was decided', async () => {
  const { setAdapter, takeRefusal, again, blamed } = await refusing();
  await setAdapter({ ...DELTA });
  again.end();
  await blamed;
  expect(takeRefusal()).toBeUndefined();
});

test('what was learnt and is taken off while it is being blamed stays off, whatever fails then', async () => {
  const { setAdapter, byTheModelAlone, again, blamed } = await refusing();
  await setAdapter(null);
  again.fail(new RecommenderError('aborted', 'the caller is gone'));
  await expect(blamed).rejects.toMatchObject({ code: 'aborted' });
  expect(await byTheModelAlone()).toBe(true);
});
