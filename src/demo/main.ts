/** The demo shop: a header, one page at a time, and the "For you" row that goes along. */
import './shop.css';
import { h, setText } from './dom';
import { forYou } from './for-you';
import { basketPage } from './pages/basket';
import { homePage } from './pages/home';
import { searchPage, sectionPage } from './pages/listing';
import { productPage } from './pages/product';
import { href, parseRoute, type Route } from './routes';
import { openShop, type Shop } from './shop';
import { startVisit } from './visit';
import { visitPanel } from './visit-panel';

const place = document.getElementById('shop') as HTMLElement;

openShop(document.baseURI).then(start, (error: unknown) => {
  const why = error instanceof Error ? error.message : String(error);
  place.replaceChildren(
    h(
      'div',
      { class: 'page' },
      h('h1', {}, 'The shop could not be opened'),
      h('p', { class: 'lead', role: 'alert' }, why),
    ),
  );
});

function start(shop: Shop): void {
  const visit = startVisit(
    shop,
    () => changed(),
    () => render(false),
  );
  const row = forYou(shop, visit);
  const panel = visitPanel(shop, visit, () => render(false));
  const looked = h('span', { class: 'badge' }, '0');
  const basket = h('span', { class: 'badge' }, '0');
  const main = h('main', { id: 'main', tabindex: -1 });
  const top = header(shop, looked, basket, () => void panel.open());
  const nav = [...top.querySelectorAll<HTMLElement>('.nav a')];
  const scrolled = new Map<string, number>();
  let shown = location.hash;
  let followsLink = false;

  function changed(): void {
    setText(looked, String(visit.looked.length));
    setText(basket, String(visit.basket.length));
    row.describe();
    panel.describe();
  }

  function page(route: Route): { title: string; content: HTMLElement } | undefined {
    switch (route.page) {
      case 'home':
        return homePage(shop, row.element);
      case 'section':
        return sectionPage(shop, route.path, row.element);
      case 'product':
        return productPage(shop, visit, route.id, row.element);
      case 'search':
        return searchPage(shop, route.query, row.element);
      case 'basket':
        return basketPage(shop, visit, row.element);
      case 'unknown':
        return undefined;
    }
  }

  /** @param isLook Whether this is a visit to the page, rather than the same page drawn again. */
  function render(isLook: boolean): void {
    const route = parseRoute(location.hash);
    const { title, content } = page(route) ?? notFound(row.element);
    document.title = route.page === 'home' ? title : `${title} · Aisle demo shop`;
    main.replaceChildren(content);
    markDepartment(nav, route);
    const onShow = route.page === 'product' && shop.products.has(route.id) ? [route.id] : [];
    if (isLook) for (const id of onShow) visit.look(id);
    void row.refresh(onShow);
  }

  window.addEventListener('hashchange', () => {
    render(true);
    if (followsLink) {
      window.scrollTo(0, 0);
      const heading = main.querySelector('h1');
      heading?.setAttribute('tabindex', '-1');
      heading?.focus({ preventScroll: true });
    } else {
      window.scrollTo(0, scrolled.get(location.hash) ?? 0);
    }
    followsLink = false;
    shown = location.hash;
  });
  document.addEventListener('click', (event) => {
    if (!(event.target as Element).closest('a[href^="#/"]')) return;
    scrolled.set(shown, window.scrollY);
    followsLink = true;
  });
  history.scrollRestoration = 'manual';
  window.addEventListener('scroll', () => scrolled.set(shown, window.scrollY), { passive: true });

  place.replaceChildren(
    h('a', { class: 'skip', href: '#main', on: { click: skipTo(main) } }, 'Skip to the products'),
    top,
    main,
    footer(),
    panel.element,
  );
  changed();
  render(true);
}

/** Marks the department that the visitor is in. */
function markDepartment(links: readonly HTMLElement[], route: Route): void {
  for (const link of links) {
    const here = route.page === 'section' && link.textContent === route.path[0];
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** `#main` is no page of the shop, so the link moves the focus without changing the address. */
function skipTo(target: HTMLElement): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    target.focus();
  };
}

function header(shop: Shop, looked: HTMLElement, basket: HTMLElement, openPanel: () => void): HTMLElement {
  const query = h('input', {
    type: 'search',
    name: 'query',
    placeholder: 'Search',
    'aria-label': 'Search products',
    autocomplete: 'off',
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    if (query.value.trim() !== '') location.hash = href({ page: 'search', query: query.value.trim() });
  };
  const departments = [...shop.root.children.keys()];
  return h(
    'header',
    { class: 'header' },
    h(
      'div',
      { class: 'header-top' },
      h('a', { class: 'logo', href: href({ page: 'home' }) }, 'Aisle', h('span', {}, 'demo shop')),
      h('form', { class: 'search', role: 'search', on: { submit } }, query),
      h('button', { class: 'header-button', type: 'button', on: { click: openPanel } }, 'Your visit', looked),
      h('a', { class: 'header-button', href: href({ page: 'basket' }) }, 'Basket', basket),
    ),
    departments.length > 1 &&
      h(
        'nav',
        { class: 'nav', 'aria-label': 'Departments' },
        h(
          'ul',
          {},
          ...departments.map((name) => h('li', {}, h('a', { href: href({ page: 'section', path: [name] }) }, name))),
        ),
      ),
  );
}

function notFound(row: HTMLElement): { title: string; content: HTMLElement } {
  return {
    title: 'Not here',
    content: h(
      'div',
      { class: 'page' },
      h('h1', {}, 'This page is not here'),
      h(
        'p',
        { class: 'lead' },
        'The product may be gone, or the address was cut off. ',
        h('a', { href: '#/' }, 'To the shop'),
      ),
      row,
    ),
  };
}

function footer(): HTMLElement {
  return h(
    'footer',
    { class: 'footer' },
    h(
      'p',
      {},
      'A demo of Aisle: recommendations computed in your browser. The products are invented and nothing is sold.',
    ),
  );
}
