/** Named configurations, each with the data that chose it. `--set` changes single keys of one. */
export interface Preset {
  readonly doc: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** By name. */
export type Presets = Readonly<Record<string, Preset>>;

/** The name that stands for the preset which suits the log. */
export const AUTO = 'auto';
