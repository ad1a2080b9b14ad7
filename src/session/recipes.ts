/** How the files of well-known logs are laid out: `aisle convert` reads them by it. */
import { isRecBole } from './columns';
import { GA4_NAMES } from './ga4';
import type { ColumnNames, Recipe } from './options';
import { parseIso } from './time';

/** The first of these namings whose columns a file has all of. */
const firstOf =
  (...namings: readonly ColumnNames[]): Recipe['columns'] =>
  (names) =>
    namings.find((naming) => Object.values(naming).every((name) => names.includes(name)));

/** Amazon's products have an ASIN, which begins with B, or a book's ISBN; reviewers have ids that begin with A. */
const isAsin = (cell: string | undefined): boolean => /^(B[0-9A-Z]{9}|\d{9}[\dX])$/.test(cell ?? '');
const isTime = (cell: string | undefined): boolean => /^\d{9,13}$/.test(cell ?? '');

export const RECIPES: readonly Recipe[] = [
  {
    name: 'movielens',
    files: 'ratings.dat of 1M and 10M, u.data of 100K, or ratings.csv of the later ones',
    page: 'GroupLens, MovieLens, README of the data set',
    columns: firstOf({ item: 'movieId', time: 'timestamp', user: 'userId' }),
    header: (first) =>
      first.length === 4 && isTime(first[3]) ? { names: ['userId', 'movieId', 'rating', 'timestamp'] } : undefined,
    sessionsBy: { by: 'user' },
  },
  {
    name: 'amazon',
    files: 'reviews as JSON objects, or ratings as CSV, of 2014, 2018 or 2023',
    page: 'McAuley Lab, Amazon Reviews data',
    columns: firstOf(
      { item: 'parent_asin', time: 'timestamp', user: 'user_id' },
      { item: 'asin', time: 'unixReviewTime', user: 'reviewerID' },
    ),
    // The ratings of 2014 begin with the user, those of 2018 with the product; neither has a header.
    header: ([a, b, , time]) => {
      if (!isTime(time) || isAsin(a) === isAsin(b)) return undefined;
      const ids = isAsin(b) ? ['reviewerID', 'asin'] : ['asin', 'reviewerID'];
      return { names: [...ids, 'overall', 'unixReviewTime'] };
    },
    sessionsBy: { by: 'user' },
  },
  {
    name: 'yoochoose',
    files: 'yoochoose-clicks.dat, and yoochoose-buys.dat beside it',
    page: 'RecSys Challenge 2015, dataset-README.txt',
    columns: firstOf({ session: 'session', item: 'item', time: 'time' }),
    header: (first) =>
      first.length === 4
        ? { names: ['session', 'time', 'item', 'category'], event: 'view' }
        : first.length === 5
          ? { names: ['session', 'time', 'item', 'price', 'quantity'], event: 'purchase' }
          : undefined,
  },
  {
    name: 'diginetica',
    files: 'train-item-views.csv',
    page: 'CIKM Cup 2016, Track 2: Personalized E-Commerce Search Challenge',
    columns: firstOf(
      { session: 'sessionId', item: 'itemId', time: 'eventdate', user: 'userId' },
      { session: 'session_id', item: 'item_id', time: 'eventdate', user: 'user_id' },
    ),
    time: {
      secondsOf: (cell) =>
        parseIso(cell('eventdate')) + (/^\d+$/.test(cell('timeframe')) ? Number(cell('timeframe')) / 1000 : Number.NaN),
      expected: 'a date such as 2016-05-09 and milliseconds within it in timeframe',
    },
    noUser: 'NA',
  },
  {
    name: 'retailrocket',
    files: 'events.csv',
    page: 'Kaggle, Retailrocket recommender system dataset',
    columns: firstOf({ item: 'itemid', time: 'timestamp', user: 'visitorid', event: 'event' }),
    sessionsBy: { by: 'gap', minutes: 30 },
    kinds: { addtocart: 'cart', transaction: 'purchase' },
  },
  {
    name: 'tmall',
    files: 'user_log_format1.csv',
    page: 'Tianchi, IJCAI-15 repeat buyers prediction',
    columns: firstOf({ item: 'item_id', time: 'time_stamp', user: 'user_id', event: 'action_type' }),
    // Days of 2014 without a year, such as 829 or 1111. Half a day apart makes a session of each day.
    time: {
      secondsOf: (cell) => {
        const digits = cell('time_stamp').padStart(4, '0');
        return parseIso(`2014-${digits.slice(0, 2)}-${digits.slice(2)}`);
      },
      expected: 'a month and a day such as 1111',
    },
    sessionsBy: { by: 'gap', minutes: 12 * 60 },
    kinds: { 0: 'view', 1: 'cart', 2: 'purchase', 3: 'favourite' },
  },
  {
    name: 'ga4',
    files: 'the tables events_YYYYMMDD, exported as JSON objects or Parquet',
    page: 'Google Analytics Help, BigQuery Export schema',
    columns: (names) => (names === GA4_NAMES ? {} : undefined),
  },
  {
    name: 'recbole',
    files: 'atomic files of interactions, *.inter',
    page: 'RecBole documentation, Atomic Files',
    columns: (names) => (isRecBole(names) ? {} : undefined),
  },
];
