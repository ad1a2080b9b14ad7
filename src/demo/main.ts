/** The demo shop: a header, one page at a time, and a panel that shows what goes on behind it. */
import './styles/base.css';
import './styles/header.css';
import './styles/products.css';
import './styles/product.css';
import './styles/pages.css';
import './styles/cart.css';
import './styles/panel-tabs.css';
import './styles/panel-models.css';
import './styles/panel.css';
import { openCart } from './cart';
import { h, textOf } from './dom';
import { watchNetwork } from './network';
import { cartPage } from './pages/cart';
import { homePage } from './pages/home';
import { searchPage, sectionPage } from './pages/listing';
import { privacyPage } from './pages/privacy';
import { productPage } from './pages/product';
import { panel as makePanel } from './panel/panel';
import { followAddress, parseRoute, type Route } from './routes';
import { readSettings } from './settings';
import { closedShop, footer, header, notFound } from './shell';
import { openShop, type Shop } from './shop';
import { openSlots } from './slots';
import type { Context, Page } from './types';
import { startVisit } from './visit';

const place = document.getElementById('shop') as HTMLElement;
const settings = readSettings(location.search);
let describe = (): void => {};
const network = watchNetwork(() => describe());

openShop(document.baseURI, settings.model)
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
  const panel = makePanel({ shop, visit, network, notes: settings.notes });
  const top = header(shop, panel.button);
  const context: Context = { shop, visit, cart, slots, openPanel: panel.open };

  describe = () => {
    top.count(cart.count);
    panel.describe();
  };

  /** Shows the page of the address. */
  function show(): void {
    const route = parseRoute(location.hash);
    if (route.page === 'product' && shop.products.has(route.id)) visit.track(route.id);
    const { title, content } = pageOf(context, route) ?? notFound();
    document.title = route.page === 'home' ? title : `${title} · Aisle demo shop`;
    main.replaceChildren(content);
    top.mark(route);
  }

  followAddress(main, show);
  document.addEventListener('keydown', (event) => {
    const typing = (event.target as Element).closest('input, select, textarea') !== null;
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    top.focusSearch();
  });
  place.replaceChildren(
    h('a', { class: 'skip', href: '#main', on: { click: skipTo(main) } }, 'Skip to the products'),
    top.element,
    main,
    footer(),
  );
  document.body.append(panel.element);
  describe();
  show();
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
