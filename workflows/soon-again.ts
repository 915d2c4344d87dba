import type { RetryPolicy } from '@temporalio/common';

/**
 * When an activity is tried again whose failure names no delay of its own: Postgres is away, its worker died, a newer attempt took
 * over. Nearly all else that fails says itself when (`nextRetryDelay`, 900 s at the most but where Xero asks for more), which goes before
 * this (docs/decisions/0047-what-lasts-is-asked-ever-less.md).
 */
export const soonAgain: RetryPolicy = { initialInterval: '1 second', maximumInterval: '20 seconds' };
