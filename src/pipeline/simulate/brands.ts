/** The store's brands. Invented for this simulator; any likeness to a real one is chance. */

export type Style = 'plain' | 'heritage' | 'playful' | 'botanical' | 'technical';

export interface Brand {
  readonly name: string;
  readonly style: Style;
  /** Factor on a kind's usual price. */
  readonly level: number;
  /** Second colour of its pictures, `#rrggbb`. */
  readonly accent: string;
  readonly departments: readonly string[];
}

const DEPARTMENTS: Readonly<Record<string, string>> = {
  C: 'Clothing',
  H: 'Home',
  K: 'Kitchen and table',
  G: 'Garden and outdoor',
  T: 'Toys and games',
  S: 'Stationery',
  B: 'Bath and care',
  V: 'Bags and travel',
};

const ACCENTS: Readonly<Record<Style, string>> = {
  plain: '#f4f1ea',
  heritage: '#8d6a45',
  playful: '#f2c14e',
  botanical: '#6f9170',
  technical: '#3f4a56',
};

// Name, departments (their letters above), style, price level.
const ROWS = `
Harrowmere CV heritage 1.45
Tindlewake CH plain 0.9
Oskerry CG technical 1.2
Lumfold C plain 0.7
Fennimoor CB botanical 1.05
Brindlecove CV playful 0.85
Saltmarrow CG heritage 1.3
Pebblerook CT playful 0.75
Thistlequay HB botanical 1.15
Wrenfold HK plain 1.0
Mossgarrow HG botanical 0.95
Copperlode HK heritage 1.5
Larkenhythe H plain 0.75
Juniperhaugh HS heritage 1.25
Ashenmarch H plain 1.35
Kelderwisp K technical 1.3
Plumtarn K playful 0.85
Dovequill KS botanical 1.0
Emberlow KH heritage 1.2
Figgorey K plain 0.7
Gantleby KG heritage 1.05
Hobbinfield G technical 0.9
Inkleby S plain 0.8
Jollyrook TS playful 0.9
Knotwillow T heritage 1.3
Loomerby HC botanical 1.1
Mallowick B botanical 1.25
Nettlequay B plain 0.75
Orlandry SB heritage 1.4
Pintlemere T plain 0.75
Rusketh G technical 1.4
Sorrelbank GB botanical 1.0
Tumbledene T playful 1.05
Umberwick S heritage 1.1
Velloway V technical 1.25
Wickerstowe VB plain 0.85
Yarrowgate VC heritage 1.35
Zephyrlea GV playful 0.8
Quillhaw S playful 0.95
Crumbleby K playful 0.95`;

export const BRANDS: readonly Brand[] = ROWS.trim()
  .split('\n')
  .map((row) => {
    const [name, letters, style, level] = row.split(' ') as [string, string, Style, string];
    return {
      name,
      style,
      level: Number(level),
      accent: ACCENTS[style],
      departments: [...letters].map((letter) => DEPARTMENTS[letter]!),
    };
  });
