/** What the studio's plots show, in a real document. */
import { expect, test } from 'vitest';
import { scatterPlot } from '../../src/studio/plots';

const dot = (id: string, x: number, group?: number) => ({
  id,
  name: 'Tea',
  x,
  y: x,
  ...(group !== undefined && { group }),
});
const texts = (of: Element, selector: string): (string | null)[] =>
  [...of.querySelectorAll(selector)].map(({ textContent }) => textContent);

test('a click on an item that has no dot keeps its number, and items of one title have a place each', () => {
  const plot = scatterPlot('Items', [dot('a', 0), dot('b', 1), dot('c', 2)], ['a', 'rare', 'b', 'c', 'a'], []);
  expect(texts(plot, '.stop text')).toEqual(['1, 5', '3', '4']);
  const places = [...plot.querySelectorAll('.stop text')].map((text) => text.getAttribute('x'));
  expect(new Set(places).size).toBe(3);
  expect(plot.querySelector('.legend')).toBeNull();
});

test('the legend names dots of no group, where there are some', () => {
  const looks = (plot: Element) => [...plot.querySelectorAll('.legend line')].map((line) => line.getAttribute('class'));
  const mixed = scatterPlot('Items', [dot('a', 0, 0), dot('b', 1)], [], ['Cups']);
  expect(texts(mixed, '.legend li')).toEqual(['Cups', 'other']);
  expect(looks(mixed)).toEqual([...mixed.querySelectorAll('.dot')].map((one) => one.getAttribute('class')!.slice(4)));
  const grouped = scatterPlot('Items', [dot('a', 0, 0), dot('b', 1, 1)], [], ['Cups', 'Lamps']);
  expect(texts(grouped, '.legend li')).toEqual(['Cups', 'Lamps']);
});
