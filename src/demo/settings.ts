/** What the address asks for: `?backend=…&model=…`. */
import type { BackendChoice } from '../index';

/** The backends by name, and what each is called in a sentence. */
export const BACKENDS: Readonly<Record<BackendChoice, string>> = {
  auto: 'Auto',
  plan: 'Compiled plan',
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'JavaScript',
};

export interface Settings {
  readonly backend: BackendChoice;
  /** A model by its name in `demo.json`, or by the address of its folder. */
  readonly model?: string;
  /** What of the address was not understood, a sentence each. */
  readonly notes: readonly string[];
}

const isBackend = (name: string): name is BackendChoice => Object.hasOwn(BACKENDS, name);

/** @param search The query of the page's address, with or without `?`. */
export function readSettings(search: string): Settings {
  const query = new URLSearchParams(search);
  const backend = query.get('backend') ?? 'auto';
  const model = query.get('model') ?? '';
  const known = isBackend(backend);
  return {
    backend: known ? backend : 'auto',
    ...(model === '' ? {} : { model }),
    notes: known ? [] : [unknownBackend(backend)],
  };
}

function unknownBackend(name: string): string {
  const names = Object.keys(BACKENDS);
  const near = name.length > 1 && names.find((known) => holds(known, name) || holds(name, known));
  const hint = near ? `Did you mean “${near}”?` : `Known are ${names.join(', ')}.`;
  return `No backend is called “${name}”. ${hint} The shop runs on auto.`;
}

/** Whether a text holds all letters of a part, in their order. */
function holds(text: string, part: string): boolean {
  let found = 0;
  for (const letter of text.toLowerCase()) if (letter === part[found]?.toLowerCase()) found++;
  return found === part.length;
}

/** The address with another setting, and with everything else as it is. */
export function withSetting(address: string, name: 'backend' | 'model', value: string): string {
  const url = new URL(address);
  if (name === 'backend' && value === 'auto') url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  return url.href;
}
