import { usualCallsADay } from './plan.ts';

/** Xero's daily limit of its Starter tier. Source: https://developer.xero.com/documentation/guides/oauth2/limits/ */
const starterCallsADay = 1_000;

/**
 * Whether so large a reserve leaves imports nothing of any day but the one call an hour that asks whether it has begun again: on
 * every tier, on the Starter tier, or on none (null). More calls than it, left of any day as Xero said once, prove the opposite.
 */
export function starves(reserve: number, dayRemaining: number | null): 'always' | 'onStarter' | null {
  if (dayRemaining !== null && dayRemaining > reserve) return null;
  if (reserve >= usualCallsADay) return 'always';
  return reserve >= starterCallsADay ? 'onStarter' : null;
}
