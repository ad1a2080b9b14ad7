import { expect, test, vi } from 'vitest';
import type { Delta } from '../../src/checkpoint/delta';
import { createPersonalisation } from '../../src/engine/personalisation';
import type { Placement } from '../../src/engine/placement';
import { RecommenderError } from '../../src/errors';

test('what was learnt and is taken off while it is being blamed stays off, whatever fails then', async () => {
  const { signal } = new AbortController();
  const artifact = { hash: 'a', info: { name: 'model' }, tensors: {} };
  const run = vi.fn();
  const placement = { artifact, network: { scale: 1 }, deadline: () => 0, run } as unknown as Placement;
  const { setAdapter, scored } = createPersonalisation({ call: (work) => work(signal), loaded: () => placement });
  await setAdapter({ base: { hash: 'a' } } as Delta);

  let abort = () => {};
  run.mockRejectedValueOnce(new RecommenderError('not-finite', 'a score is NaN'));
  run.mockReturnValueOnce(
    new Promise((_, reject) => {
      abort = () => reject(new RecommenderError('aborted', 'the caller is gone'));
    }),
  );
  const blamed = scored(placement, async () => 0, signal);
  await vi.waitFor(() => expect(run).toHaveBeenCalledTimes(4));
  await setAdapter(null);
  abort();
  await expect(blamed).rejects.toMatchObject({ code: 'aborted' });

  run.mockImplementation((work) => work({ artifact, activeAdapter: () => undefined })); // it can set none
  expect(await scored(placement, async () => 'by the model alone', signal)).toBe('by the model alone');
});
