import { log } from '@temporalio/activity';
import type { Dependencies } from './index.ts';
import { whileBeating } from './while-beating.ts';

/**
 * Refreshes every authorisation that nobody used for a day: Xero forgets those that are not refreshed for 60. Before that it
 * ends the consents of which no connection was made, so that they are not kept alive too.
 */
export function createRefreshIdleAuthorisations({ tokens }: Pick<Dependencies, 'tokens'>) {
  return async function refreshIdleAuthorisations(): Promise<{ refreshed: number; failed: number }> {
    const done = await whileBeating(async () => {
      await tokens.endAbandoned();
      return tokens.keepAlive();
    });
    if (done.failed > 0)
      log.warn(`${done.failed} idle authorisation(s) could not be refreshed; it is tried again tomorrow.`);
    return done;
  };
}
