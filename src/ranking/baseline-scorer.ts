/** From an artifact of a counting baseline to scores. */
import type { Artifact } from '../checkpoint/artifact';
import { verifyNames } from '../checkpoint/verify-parameters';
import type { Baseline } from '../neighbours/baseline';
import { catalogueOf, type LoadedScorer } from './architecture';
import { configuredBy } from './network-info';

/** @throws RecommenderError `bad-artifact` for a damaged configuration; `weights-mismatch` for an array that is missing or does not fit. */
export function baselineScorer(baseline: Baseline<unknown>, artifact: Artifact): LoadedScorer {
  verifyNames(artifact.tensors, baseline.arrays);
  return baseline.scorer(artifact.tensors, catalogueOf(artifact), configuredBy(baseline, artifact));
}
