/** From an artifact of a counting baseline to scores. */
import type { Artifact } from '../checkpoint/artifact';
import type { Baseline } from '../neighbours/baseline';
import { catalogueOf, type LoadedScorer } from './architecture';
import { configuredBy } from './network-info';

/** @throws RecommenderError `bad-artifact` for a damaged configuration; `weights-mismatch` for an array that is missing or does not fit. */
export const baselineScorer = (baseline: Baseline<unknown>, artifact: Artifact): LoadedScorer =>
  baseline.scorer(artifact.tensors, catalogueOf(artifact), configuredBy(baseline, artifact));
