/** What reports have in common: one HTML file that runs no script, asks for nothing, and is light or dark as its reader is. */

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1f23; --paper: #fff; --soft: #5d6670; --line: #d9dee3; --mark: #eef4fb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #16191d; --soft: #a3adb8; --line: #363d45; --mark: #1f2a36; } }
body { margin: 0 auto; max-width: 1240px; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
p { max-width: 76ch; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
td small { display: block; color: var(--soft); font-weight: 400; } thead th { color: var(--soft); font-weight: 600; }
tr.best td, tr.best th:first-child { background: var(--mark); font-weight: 600; }
.plots { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: .4rem; } figure svg { width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick, svg .label { fill: var(--soft); }
@media (max-width: 620px) { body { padding: 1rem 1rem 3rem; } figure svg text { font-size: 17px; } }
@media (prefers-color-scheme: dark) { .series, .legend svg { filter: brightness(1.45); } }
.leader { stroke: var(--soft); stroke-width: .75; }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); }
.series polyline { fill: none; stroke: var(--c); stroke-width: 2; } .series circle { fill: var(--c); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: .25rem 0 0; padding: 0; font-size: 13px; }
.legend li { display: flex; align-items: center; gap: .4rem; } .legend svg { width: 26px; height: 8px; }
code { font-size: 12.5px; overflow-wrap: anywhere; } summary { cursor: pointer; font-weight: 600; }
`;

/** Text as HTML shows it, in attributes too. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** @param styles Further rules of this page. */
export const htmlPage = (title: string, body: readonly string[], styles = ''): string =>
  [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${STYLE}${styles}</style></head><body>`,
    '<main>',
    ...body,
    '</main></body></html>',
    '',
  ].join('\n');

/** A table that scrolls sideways if it is wider than the window, also by keyboard. */
export const tableOf = (name: string, titles: readonly string[], body: readonly string[]): string =>
  `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(name)}"><table><thead><tr>${titles.map((title) => `<th scope="col">${escapeHtml(title)}</th>`).join('')}` +
  `</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;

/** A row of such a table. @param cells As HTML. */
export const rowOf = (name: string, cells: readonly string[], attributes = ''): string =>
  `<tr${attributes}><th scope="row">${escapeHtml(name)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
