import { Context } from '@temporalio/activity';

export type Refusals = ReturnType<typeof createRefusals>;

/** More are not remembered: what is forgotten is only asked for more often. */
const mostRemembered = 1_000;

/**
 * Counts how many attempts of an activity Xero has refused, or failed, in one way. Temporal counts failed attempts of any kind, and
 * one refusal that passes is nothing, however often Xero or Postgres was away before it. Another worker counts anew, which asks
 * more often.
 */
export function createRefusals() {
  const counted = new Map<string, { attempt: number; times: number }>();
  return {
    /** So many attempts of this activity were refused in this way, with this one, which counts once for all its calls. */
    times(what: string): number {
      const { workflowExecution, activityId, attempt } = Context.current().info;
      const key = [workflowExecution?.runId, activityId, what].join(' ');
      const before = counted.get(key) ?? { attempt: 0, times: 0 };
      const times = before.attempt === attempt ? before.times : before.times + 1;
      // Put last, as the one that was refused longest ago is forgotten first.
      counted.delete(key);
      counted.set(key, { attempt, times });
      if (counted.size > mostRemembered) counted.delete(counted.keys().next().value ?? key);
      return times;
    },
  };
}
