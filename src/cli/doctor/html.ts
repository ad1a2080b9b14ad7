/** The tags of a page, without a browser: those that its scripts add later are not seen. */

export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What a script holds; empty for other elements. */
  readonly content: string;
}

/** A comment, or a tag that begins an element. */
const TAG = /<!--.*?(?:-->|$)|<([a-z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/gis;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
/** Elements whose content is a text, or does nothing where scripts run. */
const TEXTS = new Set(['script', 'style', 'textarea', 'title', 'template', 'noscript', 'iframe']);
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', quot: '"', apos: "'", lt: '<', gt: '>' };

export function tagsOf(html: string): Tag[] {
  const found: Tag[] = [];
  const pattern = new RegExp(TAG);
  for (let match = pattern.exec(html); match !== null; match = pattern.exec(html)) {
    const [, name, text = ''] = match;
    if (name === undefined) continue;
    const tag = name.toLowerCase();
    const attributes: Record<string, string> = {};
    for (const [, key, double, single, bare] of text.matchAll(ATTRIBUTE)) {
      attributes[key!.toLowerCase()] ??= decoded(double ?? single ?? bare ?? '');
    }
    let content = '';
    if (TEXTS.has(tag)) {
      const rest = html.slice(pattern.lastIndex);
      const end = rest.search(new RegExp(`</${tag}[\\s/>]`, 'i'));
      content = end < 0 ? rest : rest.slice(0, end);
      pattern.lastIndex += content.length;
    }
    found.push({ name: tag, attributes, content: tag === 'script' ? content : '' });
  }
  return found;
}

/** `data-model-url` as `modelUrl`, like an element's `dataset`. */
export function datasetOf({ attributes }: Tag): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      name.startsWith('data-')
        ? [[name.slice(5).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]]
        : [],
    ),
  );
}

const decoded = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (all, decimal, hex, name: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
