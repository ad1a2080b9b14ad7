/**
 * `<aisle-privacy>`: what is known of the visitor, what was learnt from it, and the visitor's say over both. Loaded where such
 * an element is in the page.
 *
 *     <aisle-privacy heading-level="2"></aisle-privacy>
 */
import type { PrivacyExport } from '../../recommender/privacy-types';
import type { Recommender, RecommenderEvents } from '../../recommender/types';
import type { Host } from '../types';
import { amountOf, answerOf, favouritesOf, gateOf, lessonOf, placeOf, pullsOf } from './format';
import { saveFile } from './save-file';
import { CSS } from './sheet';
import { tasteBox } from './taste';
import { type PanelTexts, panelTexts } from './texts';

/** What the panel is to the page's start and stop of recommenders. */
export interface PanelHost extends Pick<Host, 'node' | 'guard' | 'applyStyles'> {
  recommender(): Recommender | undefined;
  /** Called when there is another recommender or none, and after an event is tracked: one that is not stored sends no event. */
  readonly panels: Set<() => void>;
}

/** Why the panel shows what it shows, in `data-aisle-state`. */
export type PanelState = 'ready' | 'unavailable' | 'error';

const EVENTS: readonly (keyof RecommenderEvents)[] = ['ready', 'status', 'erased', 'stored', 'recommendations'];
/** Milliseconds in which several changes are shown as one. */
const TOGETHER = 200;

/** Ends what a panel follows, by its element: one that has moved starts again. */
const ends = new WeakMap<HTMLElement, () => void>();

/** Draws the panel into its element and keeps it up to date as long as that is in the page. */
export function showPanel(element: HTMLElement, host: PanelHost): void {
  const language = element.closest('[lang]')?.getAttribute('lang') || document.documentElement.lang || 'en';
  const texts = panelTexts(language);
  const view = drawPanel(element, host, { texts, language }, { toggle, download, erase, act });
  let stop = (): void => {};
  let isPlanned = false;
  /** Null before the first look; undefined if the page has no recommender. */
  let from: Recommender | undefined | null = null;
  /** Counts looks: one that was overtaken shows nothing. */
  let turn = 0;

  /** Follows the page's current recommender. */
  function follow(): void {
    if (!element.isConnected) {
      end();
      return;
    }
    const current = host.recommender();
    if (current === from) {
      soon();
      return;
    }
    stop();
    from = current;
    const listening = from ? EVENTS.map((event) => from!.on(event, soon)) : [];
    stop = () => {
      for (const unsubscribe of listening) unsubscribe();
    };
    host.guard('<aisle-privacy>', look);
  }

  function end(): void {
    stop();
    host.panels.delete(follow);
  }

  function soon(): void {
    if (isPlanned) return;
    isPlanned = true;
    setTimeout(() => {
      isPlanned = false;
      if (element.isConnected) host.guard('<aisle-privacy>', look);
      else follow();
    }, TOGETHER);
  }

  async function look(): Promise<void> {
    const mine = ++turn;
    const current = from;
    if (!current) return view.state('unavailable');
    try {
      const known = await current.privacy.export();
      if (mine !== turn) return;
      view.show(current, known);
      view.state('ready');
    } catch (error) {
      if (mine !== turn) return;
      view.state('error');
      throw error; // one line on the console
    }
  }

  function act(...action: Parameters<PanelActs['act']>): void {
    host.guard('<aisle-privacy>', () => attempt(...action));
  }
  async function attempt(...[work, done, failed]: Parameters<PanelActs['act']>): Promise<void> {
    const current = from;
    if (!current) return;
    view.say('');
    view.busy(true);
    try {
      await work(current);
      view.say(done);
    } catch (error) {
      view.say(failed(error));
    }
    view.busy(false);
    await look();
  }

  function toggle(isOn: boolean): void {
    const { paused, resumed, failed } = texts.done;
    const work = ({ privacy }: Recommender) => (isOn ? privacy.resume() : privacy.pause());
    act(work, isOn ? resumed : paused, () => failed);
  }
  function download(): void {
    const work = async ({ privacy }: Recommender) => {
      const known = await privacy.export();
      saveFile(host, `aisle-${known.exported.slice(0, 10)}.json`, 'application/json', JSON.stringify(known, null, 2));
    };
    act(work, texts.done.saved, () => texts.done.failed);
  }
  function erase(): void {
    const { erased, notErased } = texts.done;
    act(
      ({ privacy }) => privacy.erase(),
      erased,
      () => notErased,
    );
  }

  ends.get(element)?.();
  ends.set(element, end);
  host.panels.add(follow);
  follow();
}

interface PanelActs {
  toggle(isOn: boolean): void;
  download(): void;
  erase(): void;
  /** Carries out an action of the visitor, and says `done`, or what `failed` makes of the error. */
  act(work: (recommender: Recommender) => Promise<unknown>, done: string, failed: (error: unknown) => string): void;
}

interface PanelWords {
  readonly texts: PanelTexts;
  /** Of the page, and of the names of its products. */
  readonly language: string;
}

/** Draws the panel before anything is known, or draws it again if the element was in the page before. */
function drawPanel(element: HTMLElement, host: PanelHost, { texts, language }: PanelWords, acts: PanelActs) {
  const node = (tag: string, part: string, text?: string | Node[], attributes: Record<string, string> = {}) => {
    const made = host.node(tag, { ...(part && { part, class: part }), ...attributes });
    if (typeof text === 'string') made.textContent = text;
    else made.append(...(text ?? []));
    return made;
  };
  const level = Number(/^[1-5]$/.exec(element.getAttribute('heading-level') ?? '')?.[0] ?? 2);
  /** Of what the shop wrote: its text runs whichever way it does. */
  const shops = { lang: language, dir: 'auto' };
  const given = element.getAttribute('heading');
  const heading = node(`h${level}`, 'heading', given ?? texts.heading, {
    id: 'heading',
    ...(given === null ? {} : shops),
  });
  const { lang } = texts.language;
  /** What dates in our sentences are written in: the page's own form of their language, where it has one. */
  const spoken = language.toLowerCase().startsWith(lang) ? language : lang;
  const value = () => node('dd', '', '…');
  const fact = (name: string, ...values: Node[]) => node('div', '', [node('dt', '', name), ...values]);
  const [where, clicks, lesson, storing] = [value(), value(), value(), value()] as const;
  const learnt = node('div', 'learnt');
  const switchState = node('span', 'switch-state');
  const learning = node(
    'button',
    'switch',
    [
      node('span', 'track', '', { 'aria-hidden': 'true' }),
      node('span', 'switch-text', [node('span', '', texts.learning), switchState]),
    ],
    { type: 'button', role: 'switch', 'aria-checked': 'true', disabled: '' },
  ) as HTMLButtonElement;
  const button = (part: string, text: string, more: Record<string, string> = {}) =>
    node('button', part, text, { type: 'button', ...more }) as HTMLButtonElement;
  const download = button('download', texts.download, { disabled: '' });
  const erase = button('erase', texts.erase, { disabled: '', 'aria-haspopup': 'dialog' });
  const message = node('p', 'message', '', { role: 'status' });
  const cancel = button('cancel', texts.cancel);
  const confirm = button('confirm', texts.confirm);
  confirm.classList.add('strong');
  const dialog = node(
    'dialog',
    'dialog',
    [
      node(`h${level}`, 'heading', texts.question, { id: 'question' }),
      node('p', '', texts.consequence, { id: 'consequence' }),
      node('div', 'controls', [confirm, cancel]),
    ],
    { role: 'alertdialog', 'aria-labelledby': 'question', 'aria-describedby': 'consequence' },
  ) as HTMLDialogElement;
  const section = node(
    'section',
    'section',
    [
      heading,
      node('p', 'intro', texts.intro),
      node('dl', 'facts', [fact(texts.where, where), fact(texts.what, clicks, lesson), fact(texts.storing, storing)]),
      learning,
      node('div', 'controls', [download, erase]),
      message,
      tasteBox(host, node, texts.taste, acts.act),
      // Closed, since it grows with what is learnt: nothing moves but what the visitor opens.
      node('details', 'learnt-box', [node('summary', '', [node(`h${level + 1}`, 'sub', texts.learnt)]), learnt]),
      dialog,
    ],
    { 'aria-labelledby': 'heading', hidden: '', ...texts.language },
  );

  learning.addEventListener('click', () => acts.toggle(learning.getAttribute('aria-checked') !== 'true'));
  download.addEventListener('click', acts.download);
  erase.addEventListener('click', () => {
    dialog.showModal();
    cancel.focus(); // what cannot be undone is never one key away
  });
  cancel.addEventListener('click', () => dialog.close());
  confirm.addEventListener('click', () => {
    dialog.close();
    acts.erase();
  });
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  root.replaceChildren(section);
  host.applyStyles(root, CSS);

  const set = (place: Element, text: string) => {
    if (place.textContent !== text) place.textContent = text;
  };
  let shownLists = '';
  /** Whether the message says why there is nothing to show. */
  let isLess = false;
  function showLists(lists: readonly (readonly [title: string, rows: readonly Row[]])[], gate = ''): void {
    const text = JSON.stringify([lists, gate]);
    if (text === shownLists) return;
    shownLists = text;
    const filled = lists.filter(([, rows]) => rows.length > 0);
    learnt.replaceChildren(
      ...filled.map(([title, rows]) =>
        node('div', 'group', [node('p', 'group-title', title), node('ul', 'list', rows.map(rowOf))]),
      ),
    );
    if (gate !== '') learnt.append(node('p', 'gate', gate));
    if (filled.length === 0 && gate === '') learnt.append(node('p', 'nothing', texts.nothingLearnt));
  }
  function rowOf({ name, share }: Row): HTMLElement {
    const item = node('li', 'item', [node('span', 'name', name, shops)]);
    if (share === undefined) return item;
    const bar = node('span', '');
    bar.style.width = `${Math.round(100 * share)}%`;
    item.append(
      node('span', 'share', `${Math.round(100 * share)} %`),
      node('span', 'bar', [bar], { 'aria-hidden': 'true' }),
    );
    return item;
  }

  return {
    say: (text: string) => set(message, text),
    busy: (isBusy: boolean) => section.setAttribute('aria-busy', String(isBusy)),
    state(now: PanelState): void {
      element.setAttribute('data-aisle-state', now);
      section.hidden = false; // not before there is something to say: what fills a frame moves what is in it
      for (const control of [learning, download, erase]) control.disabled = now !== 'ready';
      if (now === 'ready') {
        if (isLess) set(message, '');
        isLess = false;
        return;
      }
      isLess = true;
      const text = now === 'error' ? texts.done.failed : texts.unavailable;
      for (const place of [where, clicks, lesson, storing]) set(place, '–');
      showLists([]);
      set(message, text);
    },
    show({ status }: Recommender, known: PrivacyExport): void {
      const { favourites } = known.learnt ?? {};
      set(where, placeOf(known, status, texts));
      set(clicks, amountOf(known, texts, spoken));
      set(lesson, lessonOf(known, texts));
      set(storing, answerOf(status, texts));
      showLists(
        [
          [texts.categories, favouritesOf(favourites?.categories)],
          [texts.brands, favouritesOf(favourites?.brands)],
          [texts.pulls, pullsOf(known)],
        ],
        gateOf(known, texts),
      );
      learning.setAttribute('aria-checked', String(!status.paused));
      set(switchState, status.paused ? texts.off : texts.on);
    },
  };
}

interface Row {
  readonly name: string;
  /** 0…1; absent where it is no part of anything. */
  readonly share?: number;
}
