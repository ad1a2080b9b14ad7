/**
 * The shopping basket: stored in this browser by the shop itself. A basket is the shop's own
 * business and has nothing to do with what the recommender may store.
 */

export interface CartLine {
  readonly id: string;
  /** 1 to 99. */
  readonly quantity: number;
}

export interface Cart {
  /** In the order in which they were put there. */
  readonly lines: readonly CartLine[];
  /** How many pieces there are. */
  readonly count: number;
  put(id: string): void;
  /** Sets how many of a product there are; 0 takes it out. */
  set(id: string, quantity: number): void;
  clear(): void;
}

const KEY = 'aisle-demo-basket';
const MOST = 99;

/** @param changed Called after every change, in this tab or another. */
export function openCart(changed: () => void): Cart {
  let lines = read();
  window.addEventListener('storage', ({ key }) => {
    if (key !== KEY && key !== null) return;
    lines = read();
    changed();
  });

  function write(next: readonly CartLine[]): void {
    lines = next;
    try {
      if (next.length === 0) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, JSON.stringify(next.map(({ id, quantity }) => [id, quantity])));
    } catch {
      // A page without storage keeps its basket for as long as it is open.
    }
    changed();
  }
  function set(id: string, quantity: number): void {
    const next = Math.min(MOST, Math.max(0, Math.floor(quantity)));
    if (next === 0) write(lines.filter((line) => line.id !== id));
    else if (lines.some((line) => line.id === id)) {
      write(lines.map((line) => (line.id === id ? { id, quantity: next } : line)));
    } else write([...lines, { id, quantity: next }]);
  }

  return {
    get lines() {
      return lines;
    },
    get count() {
      return lines.reduce((sum, { quantity }) => sum + quantity, 0);
    },
    put: (id) => set(id, (lines.find((line) => line.id === id)?.quantity ?? 0) + 1),
    set,
    clear: () => write([]),
  };
}

/** Reads the stored basket, which other pages of this origin may have written. */
function read(): readonly CartLine[] {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '[]') as unknown;
    if (!Array.isArray(stored)) return [];
    return stored.flatMap((line): CartLine[] => {
      const [id, quantity] = Array.isArray(line) ? line : [];
      return typeof id === 'string' && Number.isInteger(quantity) && quantity >= 1 && quantity <= MOST
        ? [{ id, quantity }]
        : [];
    });
  } catch {
    return [];
  }
}
