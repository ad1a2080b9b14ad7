/** Named configurations, each with the data that chose it. `--set` changes single keys of one. */
export interface Preset {
  readonly doc: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** By name. */
export type Presets = Readonly<Record<string, Preset>>;

/** Picks the preset that suits the log. */
export const AUTO = 'auto';

/** Leaves the defaults of the architecture as they are. */
export const NONE = 'none';

/** The last three epochs of the number that a preset names pass over the latest eighth of a log that drifts. */
export const RECENT = { recentEpochs: 3, recentShare: 0.12 };
