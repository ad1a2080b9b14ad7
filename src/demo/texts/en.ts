/** What the demo shop says, in English; its panel has a table of its own, which is loaded with it. */
import type { IconName } from '../icons';
import { many, whole } from './numbers';

export const EN = {
  shop: {
    name: 'demo shop',
    title: 'Aisle demo shop',
    skip: 'Skip to the products',
    basket: 'Basket',
    pieces: 'pieces',
    search: 'Search products and brands',
    departments: 'Departments',
    notHere: 'Not here',
    pageNotHere: 'This page is not here',
    mayBeGone: 'The product may be gone, or the address was cut off.',
    toShop: 'To the shop',
    notOpened: 'The shop could not be opened',
    footer:
      'A demo of recommendations that are computed in your browser. The products and their pictures are invented, and nothing is sold.',
    privacyLink: 'Privacy: what your suggestions know of you',
    studioLink: 'Studio: train a model on your own log, in a page like this',
    soldOut: 'Sold out',
    showMore: (next: number, all: number) => `Show ${next} more of ${whole(all)}`,
  },
  slots: {
    forYou: 'For you',
    popular: 'Popular in the shop',
    recent: 'You looked at',
    goesWith: 'Goes with it',
    goesWithBasket: 'Goes with your basket',
    earlierVisits: 'By what you looked at on earlier visits.',
    popularAtFirst: 'Popular in this shop. Look at a product, and this shelf becomes yours.',
    popularAlways: 'Popular in this shop, whatever you have looked at.',
    /** How many more, only the model knows: some read no more than the last clicks. */
    because: <T>(named: readonly T[], hasMore: boolean): (T | string)[] => [
      'Because you looked at ',
      ...named.flatMap((one, i) => (i === 0 ? [one] : [hasMore ? ', ' : ' and ', one])),
      ...(hasMore ? [' and more'] : []),
    ],
  },
  home: {
    eyebrow: 'Recommendations without a server',
    title: 'A small shop that notices what you look at',
    lead: 'Look at a few products and watch the shelves follow you. A model that runs in this page arranges them, and nothing about your visit leaves it.',
    lookAround: 'Look around',
    products: 'Products',
    seeAll: 'See all',
    seeAllProducts: 'See all products',
    count: (products: number) => many(products, 'product'),
    how: 'How it works',
    seeYourself: 'See for yourself',
    points: [
      [
        'chip',
        'Computed here',
        'A small neural network came with the page. It ranks the whole catalogue in milliseconds.',
      ],
      [
        'eye',
        'It reads this visit',
        'No account, no profile, no cookie: it goes by what you look at, in the order you do.',
      ],
      ['shield', 'Yours alone', 'No click is sent anywhere. You can see what is known of you, and erase it.'],
    ] as readonly (readonly [sign: IconName, title: string, words: string])[],
  },
  listing: {
    shop: 'Shop',
    where: 'Where you are',
    all: 'All products',
    narrow: 'Narrow down',
    order: 'Order of the products',
    asListed: 'As listed',
    bestMatch: 'Best match',
    cheapest: 'Price, low to high',
    dearest: 'Price, high to low',
    name: 'Name',
    search: 'Search',
    quoted: (query: string) => `“${query}”`,
    searchTitle: (query: string) => `Search: ${query}`,
    nothing: 'No product matches',
    tryFewer: 'Try fewer or shorter words: a kind of product, a colour, a brand.',
  },
  product: {
    article: 'Article',
    inStock: 'In stock',
    add: 'Add to basket',
    /** Around a link to the basket. */
    added: ['It is in your ', 'basket', '.'],
    unknown: 'The model does not know this product: it was not in the log that the model learned from.',
  },
  cart: {
    empty: 'Your basket is empty',
    waits: 'What you add to it waits here, and stays when you come back.',
    thanks: 'Thank you for playing along',
    nothingSold: 'This is a demo: nothing was sold, and nobody was told. The suggestions know what you chose.',
    each: (price: string) => `${price} each`,
    remove: 'Remove',
    less: 'One less',
    more: 'One more',
    inBasket: (quantity: number) => `${quantity} in the basket`,
    summary: 'Summary',
    products: 'Products',
    delivery: 'Delivery',
    imaginary: 'Imaginary',
    total: 'Total',
    order: 'Place the order',
    demo: 'A demo: nothing is sold. The shop keeps the basket in this browser.',
  },
  privacy: {
    title: 'Privacy',
    /** Around the button that opens the panel. */
    lead: [
      'This shop has no server that could know you. What follows is all there is, and it is yours. ',
      ' keeps your visits on this device, if you like, and lists every request.',
    ],
  },
  panel: {
    title: 'Behind the counter',
  },
};

export type Texts = typeof EN;
