import { forgetAllWaiting } from '../storage/waiting-workflows.ts';
import { tell } from './output.ts';
import { withDatabase, withImports } from './servers.ts';

/**
 * Tells imports and reconciliations that wait to look again, as something has changed for them, and says so; null when there
 * are none. They look again by themselves anyway: Temporal being away is no failure.
 */
export async function resumeWaiting(workflowIds: string[]): Promise<string | null> {
  if (workflowIds.length === 0) return null;
  return withImports((imports) => imports.wake(workflowIds)).then(
    async ({ woken, gone }) => {
      await forget(gone);
      return `${woken} waiting workflow${woken === 1 ? ' looks' : 's look'} again now.`;
    },
    () =>
      `Temporal cannot be reached; what waits (${workflowIds.length}) looks again by itself, for a consent within ten minutes.`,
  );
}

/** A reconciliation that was ended from outside could not take its note back. Where it stays, the next one to be told finds it again. */
async function forget(gone: string[]): Promise<void> {
  if (gone.length > 0) await withDatabase((pool) => forgetAllWaiting(pool, gone)).catch(() => {});
}

/** The same, said on standard error. */
export async function tellWaiting(workflowIds: string[]): Promise<void> {
  const said = await resumeWaiting(workflowIds);
  if (said !== null) tell(said);
}
