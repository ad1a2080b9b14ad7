/** The events of every fixture. */
const DAY = 86_400_000;
const IDS = ['a', 'é', '😀', 'a,b', '"q"', ' x ', '__proto__', 'b', 'c'];

/** Two of them are equal as JavaScript numbers. */
export const numberOf = (item) => 9_007_199_254_740_992n + BigInt(IDS.indexOf(item));

export const EVENTS = Array.from({ length: 60 }, (_, k) => ({
  session: `s${k % 7}`,
  item: IDS[(k * 5) % 9],
  milliseconds: Date.UTC(2024, 1, 28) + k * (DAY / 8) + k * 17 + 250,
  event: k % 3 === 0 ? 'cart' : 'view',
  price: k % 4 === 0 ? null : k / 4,
}));

/** The day of an event, in days since 1970. */
export const dayOf = ({ milliseconds }) => Math.floor(milliseconds / DAY);
