/** Counts the runs of properties. */
import fc, { type RunDetails } from 'fast-check';
import { tried } from '../tries';

fc.configureGlobal({
  reporter(details: RunDetails<unknown>) {
    tried(details.numRuns);
    const { failed, errorInstance: cause } = details;
    if (failed) throw new Error(fc.defaultReportMessage(details), { cause });
  },
});
