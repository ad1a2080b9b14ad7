/** The looks of the doctor's panel. It lies over any page, so it takes nothing of the page's styles. */
export const CSS = `
:host { all: initial; }
* { box-sizing: border-box; }
section {
  position: fixed; z-index: 2147483647; inset: auto 1rem 1rem auto; width: min(44rem, 100vw - 2rem); max-height: min(46rem, 100dvh - 2rem);
  display: flex; flex-direction: column; color-scheme: light dark; color: CanvasText; background: Canvas;
  border: 1px solid GrayText; border-radius: 8px; box-shadow: 0 8px 32px rgb(0 0 0 / 0.35); font: 14px/1.5 system-ui, sans-serif;
}
header, footer { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 8px 16px; }
header { border-bottom: 1px solid GrayText; }
footer { border-top: 1px solid GrayText; }
h2 { flex: 1; margin: 0; font-size: 16px; }
h3 { margin: 16px 0 4px; font-size: 14px; }
.body { overflow: auto; padding: 8px 16px 16px; overscroll-behavior: contain; }
h2:focus { outline: none; }
.body:focus-visible, button:focus-visible, summary:focus-visible { outline: 2px solid Highlight; outline-offset: -2px; }
p, ul, dl, dd { margin: 0; padding: 0; }
ul { list-style: none; display: grid; gap: 8px; }
li { padding-inline-start: 10px; border-inline-start: 4px solid GrayText; overflow-wrap: anywhere; }
li.error { border-color: #d3261a; }
li.warning { border-color: #d98200; }
li.ok { border-color: #2c8a4b; }
.severity { font-weight: 700; }
/* Ids of the page may run the other way. */
dd, .detail { unicode-bidi: plaintext; text-align: left; }
.detail { font-family: ui-monospace, monospace; font-size: 12px; }
dl { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: 2px 12px; }
dd { overflow-wrap: anywhere; min-width: 0; }
pre { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 12px/1.5 ui-monospace, monospace; }
summary { cursor: pointer; min-height: 24px; margin-top: 12px; font-weight: 700; }
button {
  font: inherit; color: inherit; min-height: 36px; padding: 4px 12px; cursor: pointer; background: transparent;
  border: 1px solid currentColor; border-radius: 6px;
}
button:hover { background: rgb(128 128 128 / 0.18); }
.said { flex: 1; }
@media (max-width: 36rem) {
  section { inset: auto 0 0 0; width: 100vw; max-height: 80dvh; border-radius: 8px 8px 0 0; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 6px; }
}
`;
