/** The demo shop: a header, one page at a time, and a panel that shows what goes on behind it. */
import './styles/base.css';
import './styles/header.css';
import './styles/products.css';
import './styles/product.css';
import './styles/pages.css';
import './styles/cart.css';
import './styles/panel-tabs.css';
import './styles/panel-models.css';
import './styles/panel-plugs.css';
import './styles/panel.css';
import { isBeside } from './beside';
import { openCart } from './cart';
import { handTabOn, tabBefore, watchStart } from './documents';
import { h, textOf } from './dom';
import { watchNetwork } from './network';
import { cartPage } from './pages/cart';
import { homePage } from './pages/home';
import { searchPage, sectionPage } from './pages/listing';
import { privacyPage } from './pages/privacy';
import { productPage } from './pages/product';
import { panelLoader } from './panel-loader';
import { obey } from './policy';
import { followAddress, type Route, routeOf, separatePages } from './routes';
import { readSettings, withSetting } from './settings';
import { closedShop, footer, header, notFound } from './shell';
import { openShop, type Shop } from './shop';
import { openSlots } from './slots';
import { type Language, speak, text } from './texts';
import type { Context, Page } from './types';
import { startVisit } from './visit';

const place = document.getElementById('shop') as HTMLElement;
const settings = readSettings(location.search, navigator.languages);
if (settings.without !== undefined) obey(settings.without);
if (settings.hasDocuments) separatePages();
let describe = (): void => {};
const network = watchNetwork(() => describe());
const started = watchStart(settings.hasDocuments, () => describe());

speak(settings.language)
  .then(() => openShop(document.baseURI, settings.model))
  .then(start)
  .catch((error: unknown) => place.replaceChildren(closedShop(textOf(error))));

async function start(shop: Shop): Promise<void> {
  const main = h('main', { id: 'main', tabindex: -1 });
  const changed = (): void => describe();
  const visit = startVisit(shop, { backend: settings.backend, history: 'session' }, changed);
  // What a shop's script tag would load. Its options are in the queue, and its element holds its place in every page.
  await import('../ui/embed');
  const slots = openSlots(shop, visit);
  const cart = openCart(changed);
  const failed = (why: string): void => main.prepend(h('p', { class: 'trouble', role: 'alert' }, why));
  const panel = panelLoader({ shop, visit, network, settings, start: started }, failed);
  let top: ReturnType<typeof header>;
  const context: Context = { shop, visit, cart, slots, openPanel: () => void panel.open() };

  describe = () => {
    top.count(cart.count);
    slots.describe();
    panel.describe();
  };

  /** Shows the page of the address. */
  function show(): void {
    const route = routeOf(location);
    const { title, content } = pageOf(context, route) ?? notFound();
    document.title = route.page === 'home' ? title : `${title} · ${text.shop.title}`;
    main.replaceChildren(content);
    top.mark(route);
  }
  function open(): void {
    const route = routeOf(location);
    if (route.page === 'product' && shop.products.has(route.id)) visit.track(route.id);
    show();
  }

  /** Draws everything around the pages. */
  function draw(): void {
    top = header(shop, panel.button, (language) => void turnTo(language));
    place.replaceChildren(
      h('a', { class: 'skip', href: '#main', on: { click: skipTo(main) } }, text.shop.skip),
      top.element,
      main,
      footer(),
    );
    describe();
  }
  async function turnTo(language: Language): Promise<void> {
    try {
      await speak(language);
    } catch (error) {
      return failed(textOf(error));
    }
    history.replaceState(history.state, '', withSetting(location.href, 'lang', language));
    const translated = panel.translate();
    draw();
    show();
    await translated;
    top.focusLanguage();
  }

  followAddress(main, open);
  document.addEventListener('keydown', (event) => {
    const typing = (event.target as Element).closest('input, select, textarea') !== null;
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    top.focusSearch();
  });
  draw();
  open();
  if (!settings.hasDocuments) return;
  const tab = tabBefore();
  if (tab !== undefined && isBeside()) await panel.open(tab);
  handTabOn(() => panel.tab);
}

function pageOf(context: Context, route: Route): Page | undefined {
  switch (route.page) {
    case 'home':
      return homePage(context);
    case 'section':
      return sectionPage(context, route.path);
    case 'product':
      return productPage(context, route.id);
    case 'search':
      return searchPage(context, route.query);
    case 'cart':
      return cartPage(context);
    case 'privacy':
      return privacyPage(context);
    case 'unknown':
      return undefined;
  }
}

/** `#main` is no page of the shop, so the link moves the focus without changing the address. */
function skipTo(target: HTMLElement): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    target.focus();
  };
}
