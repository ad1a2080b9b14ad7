/** The plots of the reports as pictures of their own, for pages that only show Markdown. */
import { linePlot, type PlotOptions, type Series } from '../../src/pipeline/plots';

const STYLE = `text{font:12px system-ui,sans-serif;fill:#333}.tick,.label{fill:#5d6670}.grid{stroke:#d9dee3}.axis{stroke:#5d6670}
.series polyline{fill:none;stroke:var(--c);stroke-width:2}.series circle{fill:var(--c)}`;
const LINE = 18;

/** An SVG file, with its legend below the plot. */
export function standalonePlot(series: readonly Series[], options: PlotOptions): string {
  const figure = linePlot(series, options);
  const [, width, height, content] = /<svg viewBox="0 0 (\d+) (\d+)"[^>]*>([\s\S]*?)<\/svg>/.exec(figure)!;
  const lines = [...figure.matchAll(/<li><svg[^>]*>(.*?)<\/svg>(.*?)<\/li>/g)].map(
    ([, line, name], s) =>
      `<g transform="translate(74 ${Number(height) + LINE * s + 4})">${line}<text x="34" y="8">${name}</text></g>`,
  );
  const total = Number(height) + LINE * lines.length + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}">`,
    `<title>${options.title}</title><style>${STYLE}</style><rect width="100%" height="100%" fill="#fff"/>`,
    content,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
