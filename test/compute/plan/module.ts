import { type PlanRunner, start } from '../../../src/compute/backends/plan';

/** What carries out plans. */
export const loadPlanModule = async (): Promise<WebAssembly.Module> => ((await start()).instance as PlanRunner).module;
