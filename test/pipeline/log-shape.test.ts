import { expect, test } from 'vitest';
import { logSource } from '../../src/pipeline/blob-source';
import { logShape } from '../../src/pipeline/log-shape';
import { readLog } from '../../src/pipeline/read-events';

const shapeOf = async (rows: string) =>
  logShape(await readLog(logSource([{ name: 'log.csv', blob: new Blob([rows]) }]), { minLength: 1 }));

test('counts the sessions of each item once, and events by hours, days or months', async () => {
  const day = 86_400;
  const rows = (step: number) => `session_id,item_id,timestamp\na,x,0\na,x,1\na,y,2\nb,x,${step}\nc,x,${3 * step}\n`;
  expect(await shapeOf(rows(3600))).toEqual({
    time: { period: 'hour', events: [3, 1, 0, 1] },
    itemSessions: [
      { from: 1, to: 1, items: 1 },
      { from: 2, to: 2, items: 0 },
      { from: 3, to: 4, items: 1 },
    ],
  });
  expect((await shapeOf(rows(10 * day))).time).toMatchObject({ period: 'day', events: { length: 31 } });
  expect((await shapeOf(rows(3000 * day))).time).toMatchObject({ period: 'month', events: { length: 301 } });
});

test('a log without times has none', async () => {
  const shape = logShape(
    await readLog(logSource([{ name: 'log.txt', blob: new Blob(['u 1 2 3\nv 2 3\n']) }]), { format: 'sequences' }),
  );
  expect(shape.time).toBeUndefined();
});
