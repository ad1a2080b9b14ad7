/** What the elements say, in English and Korean. */

const EN = {
  /** Attributes of an element that holds one of these texts: the page may be in another language, and run the other way. */
  language: { lang: 'en', dir: 'ltr' },
  headings: {
    'for-you': 'For you',
    related: 'You may also like',
    popular: 'Popular',
    recent: 'Recently viewed',
    'bought-together': 'Bought together',
    trending: 'Trending',
  },
  empty: 'Nothing to suggest here yet.',
  failed: 'Suggestions are not available right now.',
  preorder: 'Pre-order',
  backorder: 'On backorder',
};

export type Texts = typeof EN;

const KO: Texts = {
  language: { lang: 'ko', dir: 'ltr' },
  headings: {
    'for-you': '추천 상품',
    related: '함께 보면 좋은 상품',
    popular: '인기 상품',
    recent: '최근 본 상품',
    'bought-together': '함께 구매한 상품',
    trending: '요즘 뜨는 상품',
  },
  empty: '아직 추천할 상품이 없습니다.',
  failed: '지금은 추천을 보여 드릴 수 없습니다.',
  preorder: '예약 판매',
  backorder: '입고 후 배송',
};

/** The language of an element, as its nearest `lang` says; that of the page where none does. */
export function languageOf(element: Element): string {
  return element.closest('[lang]')?.getAttribute('lang') || document.documentElement.lang || 'en';
}

export function textsFor(language: string): Texts {
  return /^ko\b/i.test(language) ? KO : EN;
}
