/** The looks of `<aisle-privacy>`: text has the colour of the page, light or dark, and lines are drawn in shades of it. */
export const CSS = `
:host { display: block; }
:host([hidden]) { display: none; }
:host(:lang(ko)) { word-break: keep-all; }
* { box-sizing: border-box; }
section {
  display: grid; gap: 1.1em; max-width: 42em; padding: 1.25em; line-height: 1.5;
  border: 1px solid rgb(128 128 128 / 0.45); border-radius: var(--aisle-radius, 0.5em);
}
h1, h2, h3, h4, h5, h6, p, dl, dd, ul { margin: 0; }
.heading { font-size: var(--aisle-heading-size, 1.25em); line-height: 1.3; }
.sub { display: inline; font-size: 1em; }
dl { display: grid; gap: 0.5em; }
dl > div { display: grid; grid-template-columns: minmax(8em, 1fr) 2fr; gap: 0 1em; }
dt { opacity: 0.8; }
dd { font-weight: 600; grid-column: 2; }
.learnt { display: grid; gap: 0.75em; margin-top: 0.5em; }
ul { padding: 0; list-style: none; display: grid; gap: 0.3em; }
li { display: grid; grid-template-columns: 1fr auto; gap: 0 1em; }
.group-title { font-size: 0.9em; opacity: 0.8; }
.name { overflow-wrap: anywhere; text-align: -webkit-match-parent; text-align: match-parent; }
.bar { grid-column: 1 / -1; height: 0.3em; border-radius: 0.15em; background: rgb(128 128 128 / 0.25); overflow: hidden; }
.bar > span { display: block; height: 100%; background: currentColor; opacity: 0.65; }
.controls { display: flex; flex-wrap: wrap; gap: 0.75em; align-items: center; }
button {
  font: inherit; color: inherit; min-height: 2.75em; padding: 0.4em 1em; cursor: pointer;
  background: transparent; border: 1px solid currentColor; border-radius: var(--aisle-radius, 0.5em);
}
button:hover:not(:disabled) { background: rgb(128 128 128 / 0.14); }
button:disabled { cursor: default; opacity: 0.5; }
button:focus-visible, input:focus-visible, [role=textbox]:focus-visible, summary:focus-visible { outline: 2px solid var(--aisle-focus-color, currentColor); outline-offset: 2px; }
.switch { display: flex; gap: 0.75em; align-items: center; text-align: start; width: 100%; }
.track {
  flex: none; width: 2.6em; height: 1.5em; padding: 0.15em; border: 1px solid currentColor; border-radius: 1em;
}
.track::before { content: ""; display: block; width: 1.1em; height: 1.1em; border-radius: 50%; background: currentColor; opacity: 0.6; }
[aria-checked="true"] .track::before { margin-inline-start: auto; opacity: 1; }
.switch-text { display: grid; }
.switch-state { font-size: 0.85em; opacity: 0.85; }
.taste > * + * { margin-top: 0.5em; }
summary { cursor: pointer; min-height: 1.75em; }
[role=textbox] { display: inline-block; min-width: 14em; white-space: pre; overflow: hidden; -webkit-text-security: disc; }
input, [role=textbox] {
  font: inherit; color: inherit; min-height: 2.75em; max-width: 100%; padding: 0.4em 0.75em;
  background: transparent; border: 1px solid currentColor; border-radius: var(--aisle-radius, 0.5em);
}
.message { min-height: 1.5em; }
.strong { font-weight: 600; background: #a3190f; border-color: #a3190f; color: #fff; }
button.strong:hover:not(:disabled) { background: #82130b; }
dialog {
  max-width: min(32em, calc(100vw - 2em)); padding: 1.25em; border: 1px solid GrayText; border-radius: var(--aisle-radius, 0.5em);
  color: CanvasText; background: Canvas; color-scheme: inherit; line-height: 1.5;
}
dialog::backdrop { background: rgb(0 0 0 / 0.5); }
dialog > * + * { margin-top: 0.75em; }
[hidden] { display: none !important; }
@media (max-width: 36em) {
  dl > div { grid-template-columns: 1fr; }
  dd { grid-column: 1; }
  dd, .message { min-height: 3em; } /* two lines, so that another text moves nothing */
}
@media (prefers-reduced-motion: no-preference) { .bar > span { transition: width 0.3s; } }
`;
