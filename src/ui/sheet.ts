/**
 * The looks of a slot. Every line of a card has its height before its text is there, so nothing moves when it comes; text
 * has the colour of the page, light or dark. A shop changes it by `::part(…)` and the custom properties `--aisle-…`.
 */
const CSS = `
:host { display: block; }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
/* Our own text may run the other way than the page's, and begins where that begins. */
#heading, p, .because { text-align: -webkit-match-parent; text-align: match-parent; }
#heading { margin: 0 0 0.6em; font-size: var(--aisle-heading-size, 1.25em); line-height: 1.3; }
.body { display: grid; grid-template-columns: minmax(0, 1fr); }
ul, p, .place { grid-area: 1 / 1; margin: 0; }
p { align-self: center; }
p:empty { display: none; } /* it lies over the cards, and would take their clicks */
ul, .place {
  --width: var(--aisle-card-width, 10.5em); --gap: var(--aisle-gap, 1em);
  display: grid; grid-auto-flow: column; grid-auto-columns: var(--width); align-content: start;
  justify-content: start; gap: var(--gap); padding: 4px 4px 0.75em; list-style: none;
  overflow-x: auto; overscroll-behavior-x: contain; scroll-snap-type: x proximity; scrollbar-width: thin;
  margin-inline-start: -4px; scroll-padding-inline: 4px; /* room for the focus, and the first card below the heading */
}
.place { overflow-x: scroll; visibility: hidden; } /* keeps the height of a row, whether or not that has a scroll bar */
:host([layout="grid"]) .place { display: none; }
/* Where two cards do not fit side by side, both are narrower, down to three quarters. */
:host([layout="grid"]) ul {
  grid-auto-flow: row; overflow: visible; justify-content: stretch; margin: 0; padding-inline: 0;
  grid-template-columns: repeat(auto-fill, minmax(min(clamp(0.75 * var(--width), 50% - var(--gap), var(--width)), 100%), 1fr));
}
/* Behind cards, placeholders keep the height of a grid; a row would scroll through them. */
li:not(.wait) ~ .wait { visibility: hidden; }
:host(:not([layout="grid"])) li:not(.wait) ~ .wait { display: none; }
ul:focus-within { scroll-snap-type: none; } /* a card that got the focus at the edge is not pushed out again */
li { min-width: 0; scroll-snap-align: start; }
.card { display: block; color: inherit; text-decoration: none; border-radius: var(--aisle-radius, 0.5em); }
.card:hover .title { text-decoration: underline; }
.card:focus-visible { outline: 2px solid var(--aisle-focus-color, currentColor); outline-offset: 2px; }
.picture {
  display: grid; place-items: center; aspect-ratio: 1; margin-bottom: 0.5em; overflow: hidden; font-size: 1.5em;
  border-radius: inherit; background: var(--aisle-picture-background, rgb(128 128 128 / 0.14));
}
.plain .picture { display: none; }
img { display: block; width: 100%; height: 100%; object-fit: cover; }
.brand, .title, .foot { display: block; height: 1.4em; line-height: 1.4; overflow: hidden; }
.brand, .foot { white-space: nowrap; text-overflow: ellipsis; }
.brand, .note, .because { font-size: 0.85em; }
.title, .because {
  display: -webkit-box; height: 2.8em; overflow: hidden; line-height: 1.4; overflow-wrap: anywhere;
  -webkit-box-orient: vertical; -webkit-line-clamp: 2;
}
:host(:not([reasons])) .because { display: none; }
.price { font-weight: 600; }
.price + .note { margin-inline-start: 0.6em; }
.wait .title, .wait .foot {
  background: var(--aisle-picture-background, rgb(128 128 128 / 0.14)); background-clip: content-box;
  border-radius: 0.3em; padding-block: 0.2em;
}
.wait .foot { width: 40%; }
.quiet li { visibility: hidden; }
@media (prefers-reduced-motion: no-preference) {
  ul { scroll-behavior: smooth; }
  .busy .wait { animation: aisle-wait 1.6s ease-in-out infinite alternate; }
  @keyframes aisle-wait { to { opacity: 0.45; } }
}
`;

const shared = new Map<string, CSSStyleSheet>();

/** Adds styles to a shadow tree, if possible as a constructed sheet, which a content security policy allows. */
export function applyStyles(root: ShadowRoot, css = CSS): void {
  try {
    let sheet = shared.get(css);
    if (sheet === undefined) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      shared.set(css, sheet);
    }
    root.adoptedStyleSheets.push(sheet);
  } catch {
    const style = document.createElement('style');
    style.textContent = css;
    root.prepend(style);
  }
}
