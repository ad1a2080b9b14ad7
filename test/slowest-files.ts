import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

/** Prints the slowest files after a run of more than those. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length <= SHOWN) return;
    const lines = modules
      .map((module) => {
        const { collectDuration, duration } = module.diagnostic();
        return { seconds: (collectDuration + duration) / 1000, name: module.relativeModuleId };
      })
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN)
      .map(({ seconds, name }) => `${seconds.toFixed(1).padStart(9)} s  ${name}`);
    console.log(`\nThe ${SHOWN} slowest files:\n${lines.join('\n')}`);
  }
}
