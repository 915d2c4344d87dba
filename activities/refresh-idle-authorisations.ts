import { log } from '@temporalio/activity';
import type { Dependencies } from './index.ts';
import { whileBeating } from './while-beating.ts';

/** Refreshes every authorisation that nobody used for a day: Xero forgets those that are not refreshed for 60. */
export function createRefreshIdleAuthorisations({ tokens }: Pick<Dependencies, 'tokens'>) {
  return async function refreshIdleAuthorisations(): Promise<{ refreshed: number; failed: number }> {
    const done = await whileBeating(() => tokens.keepAlive());
    if (done.failed > 0)
      log.warn(`${done.failed} idle authorisation(s) could not be refreshed; it is tried again tomorrow.`);
    return done;
  };
}
