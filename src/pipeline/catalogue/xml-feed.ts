import { SaxesParser } from 'saxes';
import { RecommenderError } from '../../errors';
import { LONGEST_ROW } from '../../session/text-reader';
import type { FeedReader, Rows } from './feed-rows';

/** Namespace of Google's elements. */
const GOOGLE = 'http://base.google.com/ns/1.0';

/** RSS 2.0 and Atom: https://support.google.com/merchants/answer/160589 */
export class XmlReader implements FeedReader {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  private prefix = 'g';
  private depth = 0;
  /** Depth of the element of the product in work; 0 outside. */
  private product = 0;
  private line = 1;
  private cells: (string | undefined)[] = [];
  /** Of a direct child of the product. */
  private name = '';
  private text = '';
  private rank = 0;
  /** Of each cell: 2 of an element of Google's, 0 of a link to something else than the product's page, 1 of any other. */
  private ranks: number[] = [];
  /** Characters of the product so far. */
  private length = 0;

  constructor(
    private readonly file: string,
    private readonly rows: Rows,
  ) {
    const { parser } = this;
    parser.on('error', (error) => {
      throw this.fault(error.message.replace(/^\d+:\d+: |\.$/g, ''));
    });
    parser.on('opentag', ({ name, attributes }) => this.open(name, attributes));
    parser.on('closetag', () => this.close());
    const text = (piece: string) => {
      this.length += piece.length;
      if (this.product > 0 && this.length > LONGEST_ROW) throw this.fault('a product is longer than 1 MB');
      if (this.product > 0 && this.depth === this.product + 1) this.text += piece;
    };
    parser.on('text', text);
    parser.on('cdata', text);
  }

  push(chunk: Uint8Array): void {
    this.parser.write(this.decode(chunk));
  }

  finish(): void {
    this.parser.write(this.decode());
    this.parser.close();
    if (!this.rows.isOpen) {
      const expected = 'expected <item> of RSS 2.0 or <entry> of Atom';
      throw new RecommenderError('bad-input', `${this.file}: no products, ${expected}, got none.`);
    }
  }

  private decode(chunk?: Uint8Array): string {
    try {
      return chunk ? this.decoder.decode(chunk, { stream: true }) : this.decoder.decode();
    } catch {
      throw this.fault('the text is not UTF-8; save the feed as UTF-8');
    }
  }

  private open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.depth++;
    if (this.depth === 1) this.root(name, attributes);
    if (this.product === 0) {
      if (name !== 'item' && name !== 'entry') return;
      this.product = this.depth;
      this.line = this.parser.line;
      this.cells = [];
      this.ranks = [];
      this.length = 0;
    } else if (this.depth === this.product + 1) {
      const isGoogle = name.startsWith(`${this.prefix}:`);
      this.name = isGoogle ? name.slice(this.prefix.length + 1) : name;
      const isOther = name === 'link' && (attributes['rel'] ?? 'alternate') !== 'alternate';
      this.rank = isGoogle ? 2 : isOther ? 0 : 1;
      this.text = name === 'link' ? (attributes['href'] ?? '') : '';
    }
  }

  private root(name: string, attributes: Readonly<Record<string, string>>): void {
    const got = name === 'html' ? 'a web page' : `<${name}>`;
    if (!['rss', 'feed', 'channel', 'rdf:RDF'].includes(name)) {
      throw this.fault(`this is no feed, expected RSS 2.0 or Atom, got ${got}`);
    }
    const found = Object.entries(attributes).find(([key, value]) => key.startsWith('xmlns:') && value === GOOGLE);
    if (found) this.prefix = found[0].slice('xmlns:'.length);
  }

  private close(): void {
    if (this.depth === this.product) {
      if (!this.rows.isOpen) this.rows.begin([], 'XML', false);
      const { cells } = this;
      this.product = 0;
      this.rows.row(this.line, (at) => cells[at] ?? '');
    } else if (this.product > 0 && this.depth === this.product + 1) {
      const at = this.rows.name(this.name);
      if (this.cells[at] === undefined || this.rank > this.ranks[at]!) {
        this.cells[at] = this.text; // of several of one rank, the first
        this.ranks[at] = this.rank;
      }
    }
    this.depth--;
  }

  private fault(what: string): RecommenderError {
    return new RecommenderError('bad-input', `${this.file}:${this.parser.line}: ${what}.`);
  }
}
