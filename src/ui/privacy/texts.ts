/** What `<aisle-privacy>` says, in English and Korean. */

const EN = {
  /** Attributes of what holds these texts: the page may be in another language, and run the other way. */
  language: { lang: 'en', dir: 'ltr' },
  heading: 'What this shop’s suggestions know of you',
  intro: 'Suggestions are worked out on this device. What you look at is sent nowhere for them.',
  where: 'Kept',
  places: {
    device: 'On this device, in this browser',
    page: 'In this page only, until you leave it',
    soon: 'In this page, on its way to this device',
    /** Clicks are in one of them, and what was learnt in another. */
    apart: (clicks: string, learnt: string) => `Clicks: ${clicks}. What was learnt: ${learnt}`,
  },
  what: 'What',
  noClicks: 'No clicks',
  /** @param since A date; empty where all of it is of today. */
  clicks: (events: number, visits: number, since: string) =>
    `${events === 1 ? '1 click' : `${events} clicks`} in ${visits === 1 ? '1 visit' : `${visits} visits`}${since && `, since ${since}`}`,
  lesson: {
    none: 'Nothing learnt yet',
    from: (events: number) => `What was learnt from ${events === 1 ? '1 click' : `${events} clicks`}`,
  },
  storing: 'Keeping it on this device',
  answers: {
    /** By who has said so. `page`: only the page knows whether the visitor has answered. */
    granted: {
      tcf: 'Allowed by your choice in the consent dialogue',
      'consent-mode': 'Allowed by this site’s consent settings',
      page: 'Allowed, as this shop says',
    },
    denied: 'Not allowed',
    unknown:
      'Not answered yet on this page: nothing new is kept, and what earlier visits kept stays until you answer or erase it',
    control: 'Not allowed: your browser asks sites not to (Global Privacy Control)',
    full: 'Allowed, but this device has no room left',
    failed: 'Allowed, but this browser does not store it',
  },
  learnt: 'What was learnt',
  nothingLearnt: 'Nothing yet.',
  categories: 'You look most at',
  brands: 'Brands you look at',
  pulls: 'What draws you most',
  /** Whether what was learnt is used. */
  used: {
    yes: (events: number) => `It is used: it foresaw your last ${events} clicks better than suggestions without it.`,
    no: 'It is not used yet: it has still to show, on your own clicks, that it foresees them better.',
  },
  learning: 'Learn from what I look at',
  on: 'On',
  off: 'Off: nothing more is recorded',
  download: 'Download all of it',
  erase: 'Erase everything',
  question: 'Erase everything?',
  consequence:
    'Your clicks and what was learnt from them are erased on this device, in every tab. Suggestions start over. This cannot be undone.',
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
  taste: {
    title: 'Take it with you',
    hint: 'What was learnt, as a file that only your passphrase opens: for your other devices. It holds which products you looked at, how often and when last, but not each click.',
    passphrase: 'Passphrase',
    save: 'Save a file',
    open: 'Open a file',
    saved: 'The download has begun. Nobody can open it without the passphrase.',
    opened: 'What the file has learnt counts here now.',
    /** By the code of the error; `passphrase`: it is too short. */
    failed: {
      passphrase: 'The passphrase needs at least 8 characters.',
      'nothing-learnt': 'Nothing was learnt yet.',
      'wrong-passphrase': 'This is not the passphrase of that file.',
      'bad-delta': 'That file is damaged, or none of this kind.',
      'foreign-delta': 'That file was learnt from another shop, or from another release of it.',
      'not-allowed': 'Turn learning on, and allow keeping it, to open a file.',
      'insecure-context': 'This needs a page with https.',
      otherwise: 'That did not work. Try again in a moment.',
    },
  },
};

export type PanelTexts = typeof EN;

const KO: PanelTexts = {
  language: { lang: 'ko', dir: 'ltr' },
  heading: '추천이 나에 대해 알고 있는 것',
  intro: '추천은 이 기기에서 계산됩니다. 무엇을 보셨는지는 추천을 위해 어디에도 전송되지 않습니다.',
  where: '보관 위치',
  places: {
    device: '이 기기의 이 브라우저 안',
    page: '이 페이지 안에만 (떠나면 사라짐)',
    soon: '이 페이지 안 (곧 이 기기에 저장됨)',
    apart: (clicks, learnt) => `클릭: ${clicks}. 배운 내용: ${learnt}`,
  },
  what: '내용',
  noClicks: '클릭 없음',
  clicks: (events, visits, since) => `방문 ${visits}회, 클릭 ${events}건${since && ` (${since}부터)`}`,
  lesson: { none: '아직 배운 내용 없음', from: (events) => `클릭 ${events}건에서 배운 내용` },
  storing: '이 기기에 보관',
  answers: {
    granted: {
      tcf: '허용됨: 동의 창에서 선택하신 대로',
      'consent-mode': '허용됨: 이 사이트의 동의 설정대로',
      page: '허용됨: 이 쇼핑몰이 정한 대로',
    },
    denied: '허용되지 않음',
    unknown:
      '이 페이지에서 아직 답하지 않음: 새로 보관하지 않으며, 이전 방문에서 보관한 것은 답하거나 지울 때까지 남음',
    control: '허용되지 않음: 브라우저가 거부를 요청함 (Global Privacy Control)',
    full: '허용됐지만 기기에 남은 공간이 없음',
    failed: '허용됐지만 이 브라우저가 저장하지 못함',
  },
  learnt: '배운 것',
  nothingLearnt: '아직 없습니다.',
  categories: '가장 많이 보는 분류',
  brands: '자주 보는 브랜드',
  pulls: '가장 끌리는 상품',
  used: {
    yes: (events) => `사용 중: 최근 클릭 ${events}건을 학습 없는 추천보다 더 잘 예측했습니다.`,
    no: '아직 사용하지 않음: 내 클릭을 더 잘 예측한다는 것을 먼저 보여야 합니다.',
  },
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
  taste: {
    title: '다른 기기로 가져가기',
    hint: '배운 내용을 암호로만 열 수 있는 파일에 담아 내 다른 기기에서 쓸 수 있습니다. 어떤 상품을 얼마나 자주, 마지막으로 언제 보셨는지는 담기지만 클릭 하나하나는 담기지 않습니다.',
    passphrase: '암호',
    save: '파일로 저장',
    open: '파일 열기',
    saved: '내려받기를 시작했습니다. 암호 없이는 아무도 열 수 없습니다.',
    opened: '파일에 담긴 내용을 이제 여기서도 사용합니다.',
    failed: {
      passphrase: '암호는 8자 이상이어야 합니다.',
      'nothing-learnt': '아직 배운 것이 없습니다.',
      'wrong-passphrase': '이 파일의 암호가 아닙니다.',
      'bad-delta': '파일이 손상되었거나 다른 종류의 파일입니다.',
      'foreign-delta': '다른 쇼핑몰이나 다른 버전에서 만든 파일입니다.',
      'not-allowed': '파일을 열려면 학습을 켜고 보관에 동의해 주세요.',
      'insecure-context': 'https 페이지에서만 사용할 수 있습니다.',
      otherwise: '처리하지 못했습니다. 잠시 후 다시 시도해 주세요.',
    },
  },
};

export function panelTexts(language: string): PanelTexts {
  return /^ko\b/i.test(language) ? KO : EN;
}
