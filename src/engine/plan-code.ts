/** All that computes by a compiled plan. Loaded where an artifact has one. */
export { start } from '../compute/backends/plan';
export { loadModule, loadPlanScorer } from '../ranking/plan-scorer';
export { readPlan } from '../ranking/session-reader';
