/**
 * Finds, by the syntax tree, whatever in a source can send a byte: a channel by its name or under another one, an element
 * that loads an address, a navigation, a hint, and the ways to hide one of these from such a search.
 *
 * It reports every possibility; which of them may stand, and why, is the list of `network.built.test.ts`.
 */
import { builtinModules } from 'node:module';
import ts from 'typescript';
import { declaresValue } from './layers';

export interface NetworkUse {
  readonly file: string;
  readonly line: number;
  /** What is used: the name of a channel, tag or attribute, or how one is hidden. */
  readonly use: string;
}

/** What opens a connection, starts a thread or runs text, wherever it stands: bare, as a property, or as a text. */
const CHANNELS = new Set(
  `fetch fetchLater XMLHttpRequest XDomainRequest WebSocket WebSocketStream EventSource WebTransport RTCPeerConnection
   webkitRTCPeerConnection RTCDataChannel sendBeacon importScripts Worker SharedWorker serviceWorker addModule Image Audio
   FontFace PresentationRequest PaymentRequest Notification backgroundFetch eval Function createContextualFragment
   registerProtocolHandler requestSubmit pushState replaceState cookie cookieStore caches defaultView contentWindow
   contentDocument sharedStorage joinAdInterestGroup runAdAuction setAttributionReporting innerHTML outerHTML
   insertAdjacentHTML setHTMLUnsafe parseHTMLUnsafe DOMParser srcdoc writeln getUserMedia`.split(/\s+/),
);
/** As `CHANNELS`, but their names are too common to be looked for as texts, or where they are not called. */
const PROPERTIES = new Set(['submit', 'constructor', 'click', 'navigate']);
/** Channels only as the global's own, or the navigator's: elsewhere the names mean other things. */
const GLOBALS = new Set(['open', 'parent', 'top', 'frames', 'opener', 'share', 'name']);
/** The objects through which everything global is reached. */
const ROOTS = new Set(['globalThis', 'self', 'window', 'navigator']);

/** Elements that load something, or send it. */
const TAGS = new Set(
  'script link iframe frame img image video audio source embed object portal fencedframe form base meta style'.split(
    ' ',
  ),
);
const ATTRIBUTES = new Set(
  'src srcset imagesrcset href xlink:href poster ping action formaction background srcdoc style rel http-equiv'.split(
    ' ',
  ),
);
/** Properties that load, navigate or name an address when they are set. */
const ADDRESSES = new Set(
  `src srcset imageSrcset href poster ping action formAction background srcdoc backgroundImage cssText rel location
   innerHTML`.split(/\s+/),
);
const HINTS = /^(prefetch|preconnect|dns-prefetch|preload|modulepreload|prerender|speculationrules)$/i;
const STYLE = /\burl\(|@import\b|image-set\(/i;
const MARKUP = /<(script|link|i?frame|img|video|audio|source|embed|object|form|base|meta|style)\b/i;
const ELSEWHERE = /^(\w+:)?\/\//;
/** Node's modules that reach out of the process. */
const NODE = /^(node:)?(http|https|http2|net|tls|dgram|dns|inspector|child_process|worker_threads|cluster)(\/|$)/;

/** @param sources Text of each TypeScript, JavaScript, style or HTML file by its path. */
export function networkUses(sources: ReadonlyMap<string, string>): NetworkUse[] {
  const known = new Map<string, NetworkUse[]>(); // builds share scripts
  return [...sources].flatMap(([file, text]) => {
    if (!/\.[mc]?[jt]s$/.test(file)) return inText(file, text);
    const uses = known.get(text) ?? inScript(file, text);
    known.set(text, uses);
    return uses.map((use) => ({ ...use, file }));
  });
}

/** Styles and pages: what they load is written out in them. */
function inText(file: string, text: string): NetworkUse[] {
  const code = file.endsWith('.css') ? text.replace(/\/\*.*?\*\//gs, blanked) : text.replace(/<!--.*?-->/gs, blanked);
  const uses = /\burl\([^)]*\)|@import\b|image-set\(|(?:src|srcset|href|action|poster|ping)="[^"]*"|rel="[^"]*"/gi;
  return [...code.matchAll(uses)].map(({ 0: use, index }) => ({
    file,
    line: code.slice(0, index).split('\n').length,
    use: use.length > 60 ? `${use.slice(0, 60)}…` : use,
  }));
}

const blanked = (comment: string): string => comment.replace(/[^\n]/g, ' ');

function inScript(file: string, text: string): NetworkUse[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const declared = declaredNames(source);
  const found: NetworkUse[] = [];

  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    for (const use of usesOf(node, declared)) {
      found.push({ file, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, use });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function usesOf(node: ts.Node, declared: ReadonlySet<string>): string[] {
  if (ts.isIdentifier(node)) return identifierUses(node, declared);
  if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
    return textUses(node.text, isName(node));
  }
  const isRoot = (other: ts.Node): boolean => isRootObject(other, declared);
  if (ts.isPropertyAccessExpression(node)) {
    if (GLOBALS.has(node.name.text) && isRoot(node.expression)) return [node.name.text];
    return isRoot(node) && isValue(node) ? [`${node.name.text} as a value`] : [];
  }
  if (ts.isElementAccessExpression(node) && isRoot(node.expression)) {
    const name = literal(node.argumentExpression);
    return name === undefined ? ['a computed global'] : GLOBALS.has(name) ? [name] : [];
  }
  if (ts.isBinaryExpression(node) && isAssignment(node)) return assignmentUses(node.left, declared);
  if (ts.isCallExpression(node)) return callUses(node, declared);
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const from = literal(node.moduleSpecifier) ?? '';
    if (ELSEWHERE.test(from)) return ['an import from elsewhere'];
    return NODE.test(from) && builtinModules.includes(from.replace('node:', '')) && !isTypeOnly(node) ? [from] : [];
  }
  if (ts.isBindingElement(node) && node.dotDotDotToken && isRootObject(initializerOf(node), declared))
    return ['all globals'];
  return [];
}

function identifierUses(node: ts.Identifier, declared: ReadonlySet<string>): string[] {
  const { text, parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    const isCalled = ts.isCallExpression(parent.parent) && parent.parent.expression === parent;
    return CHANNELS.has(text) || (PROPERTIES.has(text) && (isCalled || text === 'constructor')) ? [text] : [];
  }
  if (ts.isBindingElement(parent) && (parent.propertyName ?? parent.name) === node) {
    const isFromRoot = isRootObject(initializerOf(parent), declared);
    return CHANNELS.has(text) || (isFromRoot && GLOBALS.has(text)) ? [text] : [];
  }
  if (!isReference(node) || declared.has(text)) return [];
  if (CHANNELS.has(text) || (GLOBALS.has(text) && text !== 'name')) return [text];
  return isRootObject(node, declared) && isValue(node) ? [`${text} as a value`] : [];
}

/** @param isName Whether the text names something: a key, or an argument. */
function textUses(text: string, isName: boolean): string[] {
  const uses: string[] = [];
  if (isName && CHANNELS.has(text)) uses.push(`"${text}"`);
  if (HINTS.test(text.trim())) uses.push(text.trim().toLowerCase());
  if (STYLE.test(text)) uses.push('url()');
  if (MARKUP.test(text)) uses.push('markup');
  return uses;
}

function assignmentUses(left: ts.Expression, declared: ReadonlySet<string>): string[] {
  const target = plain(left);
  if (ts.isIdentifier(target)) return target.text === 'location' && !declared.has('location') ? ['location ='] : [];
  const name = ts.isPropertyAccessExpression(target) ? target.name.text : elementName(target);
  if (name === undefined) return [];
  return receiverOf(target) === 'location' ? ['location ='] : ADDRESSES.has(name) ? [`.${name} =`] : [];
}

function callUses(node: ts.CallExpression, declared: ReadonlySet<string>): string[] {
  const called = plain(node.expression);
  const [first, second] = node.arguments;
  if (called.kind === ts.SyntaxKind.ImportKeyword) {
    const from = literal(first);
    if (from === undefined) return ['an import of a computed address'];
    return ELSEWHERE.test(from) ? ['an import from elsewhere'] : [];
  }
  const uses: string[] = [];
  const method = ts.isPropertyAccessExpression(called) ? called.name.text : '';
  const tag = method === 'createElementNS' ? second : first;
  if (method.startsWith('createElement') && literal(tag) === undefined) uses.push('createElement(…)');
  const named = literal(tag)?.toLowerCase();
  if (named !== undefined && TAGS.has(named) && !/^(get|query|closest|matches)/.test(method)) uses.push(`<${named}>`);
  if (/^(setAttribute|setAttributeNS|createAttribute|toggleAttribute)$/.test(method)) {
    const attribute = literal(method.endsWith('NS') ? second : first);
    if (attribute === undefined) uses.push('setAttribute(…)');
    else if (ATTRIBUTES.has(attribute.toLowerCase())) uses.push(`${attribute}=`);
  }
  const receiver = receiverOf(called);
  if (receiver === 'location' && /^(assign|replace|reload)$/.test(method)) uses.push(`location.${method}`);
  if (receiver === 'document' && method === 'write') uses.push('document.write');
  // A link sends nothing until the visitor follows it.
  const attributes = node.arguments.flatMap(attributeUses);
  uses.push(...attributes.filter((use) => named !== 'a' || use !== 'href='));
  const isRequire = ts.isIdentifier(called) && called.text === 'require' && !declared.has('require');
  if (isRequire && NODE.test(literal(first) ?? '')) uses.push(literal(first)!);
  return uses;
}

/** The last name of what a property is taken from: `location` of `window.location.href`. */
function receiverOf(node: ts.Node): string | undefined {
  const from = ts.isPropertyAccessExpression(node) ? plain(node.expression) : undefined;
  if (from === undefined) return undefined;
  return ts.isPropertyAccessExpression(from) ? from.name.text : ts.isIdentifier(from) ? from.text : undefined;
}

/** Attributes of an element that is built from an object: `node('a', { href })`. */
function attributeUses(argument: ts.Expression): string[] {
  if (!ts.isObjectLiteralExpression(argument)) return [];
  return argument.properties.flatMap((property) => {
    const { name } = property;
    if (
      ts.isMethodDeclaration(property) ||
      (ts.isPropertyAssignment(property) && ts.isArrowFunction(property.initializer))
    )
      return [];
    const text = name && (ts.isIdentifier(name) || ts.isStringLiteralLike(name)) ? name.text.toLowerCase() : '';
    return ATTRIBUTES.has(text) ? [`${text}=`] : [];
  });
}

/** `globalThis`, `self.navigator` and the like, also through casts and `?? {}`. */
function isRootObject(node: ts.Node | undefined, declared: ReadonlySet<string>): boolean {
  const inner = node && plain(node);
  if (inner === undefined) return false;
  if (ts.isIdentifier(inner)) return ROOTS.has(inner.text) && !declared.has(inner.text) && isReference(inner);
  if (ts.isBinaryExpression(inner)) return isRootObject(inner.left, declared);
  return ts.isPropertyAccessExpression(inner) && ROOTS.has(inner.name.text) && isRootObject(inner.expression, declared);
}

/** Whether an object goes somewhere as a whole, where what is taken of it is not seen any more. */
function isValue(node: ts.Node): boolean {
  let outer = node;
  while (isWrapper(outer.parent) || (ts.isBinaryExpression(outer.parent) && isFallback(outer.parent)))
    outer = outer.parent;
  const { parent } = outer;
  if (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) return parent.expression !== outer;
  if (ts.isTypeOfExpression(parent)) return false;
  if (ts.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    return kind !== ts.SyntaxKind.InKeyword && !/^[!=]==?$/.test(parent.operatorToken.getText());
  }
  if (ts.isVariableDeclaration(parent)) return !ts.isObjectBindingPattern(parent.name);
  return !(ts.isPrefixUnaryExpression(parent) || ts.isIfStatement(parent) || ts.isExpressionStatement(parent));
}

const isWrapper = (node: ts.Node): boolean =>
  ts.isParenthesizedExpression(node) ||
  ts.isAsExpression(node) ||
  ts.isNonNullExpression(node) ||
  ts.isSatisfiesExpression(node);

const isFallback = ({ operatorToken }: ts.BinaryExpression): boolean => ['??', '||'].includes(operatorToken.getText());

/** Without casts and parentheses; of `(0, f)` the `f`. */
function plain(node: ts.Node): ts.Node {
  let inner = node;
  for (;;) {
    if (isWrapper(inner)) inner = (inner as ts.ParenthesizedExpression).expression;
    else if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.CommaToken) inner = inner.right;
    else return inner;
  }
}

/** What an object pattern takes its names from. */
function initializerOf(element: ts.BindingElement): ts.Node | undefined {
  const owner = element.parent.parent;
  return ts.isVariableDeclaration(owner) || ts.isParameter(owner) ? owner.initializer : undefined;
}

const literal = (node: ts.Node | undefined): string | undefined =>
  node && ts.isStringLiteralLike(node) ? node.text : undefined;

const elementName = (node: ts.Node): string | undefined =>
  ts.isElementAccessExpression(node) ? literal(node.argumentExpression) : undefined;

/** Whether a text stands where it names something: an index, an argument, a key; not where it is compared or shown. */
const isName = ({ parent }: ts.Node): boolean =>
  ts.isElementAccessExpression(parent) ||
  ts.isCallExpression(parent) ||
  ts.isArrayLiteralExpression(parent) ||
  ts.isVariableDeclaration(parent) ||
  (ts.isBindingElement(parent) && parent.propertyName !== undefined);

const isAssignment = ({ operatorToken: { kind } }: ts.BinaryExpression): boolean =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;

const isTypeOnly = (node: ts.ImportDeclaration | ts.ExportDeclaration): boolean =>
  ts.isImportDeclaration(node) ? node.importClause?.isTypeOnly === true : node.isTypeOnly;

/** Whether an identifier stands for a value in scope, rather than naming a property, a member or a declaration. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  const { name, propertyName, label } = parent as { name?: ts.Node; propertyName?: ts.Node; label?: ts.Node };
  return ![name, propertyName, label].includes(node);
}

/** Names that a file declares or imports itself, which therefore are not the globals of that name. */
function declaredNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (declaresValue(node) && node.name && ts.isIdentifier(node.name) && !isOwnGlobal(node)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

/** `const { fetch } = globalThis` declares the very thing under its own name. */
function isOwnGlobal(node: ts.Node): boolean {
  return ts.isBindingElement(node) && isRootObject(initializerOf(node), new Set());
}
