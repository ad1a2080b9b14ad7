/** The stored record of this device's backends: the fastest for a model, those that failed, one being tried. */
import { isArray } from '../captured';
import type { BackendName } from '../compute/types';

/** The key of the record. */
export const BACKENDS = 'backends';
/** The key of the visitor's variant in the page's A/B test. */
export const VARIANT = 'variant';
/** The key of what the slots of the page before showed. */
export const LISTS = 'lists';

/** The backend that was the fastest. */
export interface StoredChoice {
  /** Model, its version and the library's. */
  readonly model: string;
  /** The kind of device that it was measured on. */
  readonly device: string;
  readonly backend: BackendName;
  /** The measurements, in words. */
  readonly why: string;
  /** Milliseconds since 1970 after which it is measured again: drivers and browsers change. */
  readonly until: number;
}

/** A backend that is not tried any more. */
export interface Refusal {
  readonly backend: BackendName;
  readonly why: string;
  /** Milliseconds since 1970 after which it gets another chance. */
  readonly until: number;
}

export interface DeviceRecord {
  readonly choices: readonly StoredChoice[];
  readonly refusals: readonly Refusal[];
  /** The backend that is being tried. If a page finds it while no page tries a backend, the tab that tried it crashed. */
  readonly trying?: BackendName;
}

/** Time after which a choice or a refusal is over: a week. */
export const VALID_FOR = 7 * 24 * 3600 * 1000;

/** Most choices: as many models as a shop may have. */
const MAX_CHOICES = 8;
const NAMES: readonly unknown[] = ['plan', 'cpu', 'wasm', 'webgl', 'webgpu'] satisfies BackendName[];

/** Reads and checks the stored record. Expired entries are left out. */
export function recordOf(note: unknown, now: number): DeviceRecord {
  const { choices, refusals, trying } = (note ?? {}) as Record<string, unknown>;
  const valid = <T extends Refusal>(list: unknown, texts: readonly (keyof T)[]): T[] =>
    (isArray(list) ? list : []).filter((entry) => {
      const { backend, until } = (entry ?? {}) as Refusal;
      // An entry made by a wrong clock must expire, too.
      if (!NAMES.includes(backend) || !Number.isFinite(until)) return false;
      if (until <= now || until > now + VALID_FOR) return false;
      return texts.every((name) => typeof entry[name] === 'string');
    });
  return {
    choices: valid<StoredChoice>(choices, ['model', 'device', 'why']),
    refusals: valid<Refusal>(refusals, ['why']),
    ...(NAMES.includes(trying) && { trying: trying as BackendName }),
  };
}

/** The choice that holds for a model on a device. */
export const chosen = ({ choices, refusals }: DeviceRecord, model: string, device: string): StoredChoice | undefined =>
  choices.find(
    (choice) =>
      choice.model === model && choice.device === device && !refusals.some(({ backend }) => backend === choice.backend),
  );

export function withChoice(record: DeviceRecord, choice: StoredChoice): DeviceRecord {
  const others = record.choices.filter(({ model }) => model !== choice.model);
  return { ...record, choices: [choice, ...others].slice(0, MAX_CHOICES) };
}

export function withRefusal(record: DeviceRecord, refusal: Refusal): DeviceRecord {
  const isOther = ({ backend }: Refusal) => backend !== refusal.backend;
  // A choice of this backend is over.
  return {
    choices: record.choices.filter(isOther),
    refusals: [refusal, ...record.refusals.filter(isOther)],
    ...(record.trying && record.trying !== refusal.backend && { trying: record.trying }),
  };
}

/** The record with the mark of a backend that is being tried, or without one. */
export function trying({ choices, refusals }: DeviceRecord, backend: BackendName | undefined): DeviceRecord {
  return { choices, refusals, ...(backend && { trying: backend }) };
}
