import { withImports } from './servers.ts';

/**
 * Tells imports and reconciliations that waited for a consent to go on, and says so. They look again every ten minutes
 * anyway: Temporal being away is no failure.
 */
export function resumeWaiting(workflowIds: string[]): Promise<string> {
  return withImports((imports) => imports.resumeAll(workflowIds)).then(
    (resumed) => `${resumed} waiting workflow${resumed === 1 ? ' goes' : 's go'} on now.`,
    () => `${workflowIds.length} waiting workflow(s) will go on within ten minutes.`,
  );
}
