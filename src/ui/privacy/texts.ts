/** What `<aisle-privacy>` says, in English and Korean. */

export interface PanelTexts {
  readonly heading: string;
  readonly intro: string;
  readonly where: string;
  readonly places: { readonly device: string; readonly page: string; readonly soon: string };
  readonly what: string;
  readonly nothing: string;
  /** @param since A date; empty where all of it is of today. */
  readonly clicks: (events: number, visits: number, since: string) => string;
  readonly storing: string;
  readonly answers: {
    readonly granted: string;
    readonly denied: string;
    readonly unknown: string;
    readonly control: string;
    readonly full: string;
    readonly failed: string;
  };
  readonly learnt: string;
  readonly nothingLearnt: string;
  readonly categories: string;
  readonly brands: string;
  readonly pulls: string;
  readonly learning: string;
  readonly on: string;
  readonly off: string;
  readonly download: string;
  readonly erase: string;
  readonly question: string;
  readonly consequence: string;
  readonly confirm: string;
  readonly cancel: string;
  readonly done: {
    readonly erased: string;
    readonly paused: string;
    readonly resumed: string;
    readonly saved: string;
    readonly notErased: string;
    readonly failed: string;
  };
  readonly unavailable: string;
}

const EN: PanelTexts = {
  heading: 'What this shop’s suggestions know of you',
  intro: 'Suggestions are worked out on this device. What you look at is sent nowhere for them.',
  where: 'Kept',
  places: {
    device: 'On this device, in this browser',
    page: 'In this page only, until you leave it',
    soon: 'In this page, on its way to this device',
  },
  what: 'What',
  nothing: 'Nothing',
  clicks: (events, visits, since) =>
    `${events === 1 ? '1 click' : `${events} clicks`} in ${visits === 1 ? '1 visit' : `${visits} visits`}${since && `, since ${since}`}`,
  storing: 'Keeping it on this device',
  answers: {
    granted: 'Allowed by you',
    denied: 'Not allowed',
    unknown: 'Not answered yet, so nothing is kept',
    control: 'Not allowed: your browser asks sites not to (Global Privacy Control)',
    full: 'Allowed, but this device has no room left',
    failed: 'Allowed, but this browser does not store it',
  },
  learnt: 'What was learnt from it',
  nothingLearnt: 'Nothing yet. It takes a few clicks.',
  categories: 'You look most at',
  brands: 'Brands you look at',
  pulls: 'What draws you most',
  learning: 'Learn from what I look at',
  on: 'On',
  off: 'Off: nothing more is recorded',
  download: 'Download all of it',
  erase: 'Erase everything',
  question: 'Erase everything?',
  consequence:
    'Your clicks and what was learnt from them are erased on this device, in every tab. Suggestions begin anew. This cannot be undone.',
  confirm: 'Erase',
  cancel: 'Cancel',
  done: {
    erased: 'Everything is erased.',
    paused: 'Learning is off. Nothing more is recorded.',
    resumed: 'Learning is on.',
    saved: 'The download has begun.',
    notErased:
      'This device does not confirm that everything is erased. Try again, or clear this site’s data in the browser.',
    failed: 'That did not work. Try again in a moment.',
  },
  unavailable: 'Suggestions are not running in this page, so there is nothing to show.',
};

const KO: PanelTexts = {
  heading: '추천이 나에 대해 알고 있는 것',
  intro: '추천은 이 기기에서 계산됩니다. 무엇을 보셨는지는 추천을 위해 어디에도 전송되지 않습니다.',
  where: '보관 위치',
  places: {
    device: '이 기기의 이 브라우저 안',
    page: '이 페이지 안에만 (떠나면 사라짐)',
    soon: '이 페이지 안 (곧 이 기기에 저장됨)',
  },
  what: '내용',
  nothing: '없음',
  clicks: (events, visits, since) => `방문 ${visits}회, 클릭 ${events}건${since && ` (${since}부터)`}`,
  storing: '이 기기에 보관',
  answers: {
    granted: '동의함',
    denied: '동의하지 않음',
    unknown: '아직 답하지 않아 보관하지 않음',
    control: '허용되지 않음: 브라우저가 거부를 요청함 (Global Privacy Control)',
    full: '동의했지만 기기에 남은 공간이 없음',
    failed: '동의했지만 이 브라우저가 저장하지 못함',
  },
  learnt: '여기서 배운 것',
  nothingLearnt: '아직 없습니다. 몇 번 더 둘러보시면 생깁니다.',
  categories: '가장 많이 보는 분류',
  brands: '자주 보는 브랜드',
  pulls: '가장 끌리는 상품',
  learning: '둘러본 내용으로 학습',
  on: '켜짐',
  off: '꺼짐: 더 이상 기록하지 않음',
  download: '모두 내려받기',
  erase: '모두 지우기',
  question: '모두 지울까요?',
  consequence:
    '클릭 기록과 거기서 배운 내용이 이 기기의 모든 탭에서 지워지고 추천은 처음부터 다시 시작됩니다. 되돌릴 수 없습니다.',
  confirm: '지우기',
  cancel: '취소',
  done: {
    erased: '모두 지웠습니다.',
    paused: '학습을 껐습니다. 더 이상 기록하지 않습니다.',
    resumed: '학습을 켰습니다.',
    saved: '내려받기를 시작했습니다.',
    notErased: '기기가 삭제를 확인해 주지 않았습니다. 다시 시도하거나 브라우저에서 이 사이트의 데이터를 지워 주세요.',
    failed: '처리하지 못했습니다. 잠시 후 다시 시도해 주세요.',
  },
  unavailable: '이 페이지에서는 추천이 실행되고 있지 않아 보여 드릴 내용이 없습니다.',
};

export function panelTexts(language: string): PanelTexts {
  return /^ko\b/i.test(language) ? KO : EN;
}
