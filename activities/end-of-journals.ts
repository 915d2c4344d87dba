import { log } from '@temporalio/activity';
import { streams } from '../model/streams.ts';
import type { Queryable } from '../storage/pool.ts';
import { type Lowered, lowerWatermark } from '../storage/unbroken.ts';
import { noLimits, type Refused } from '../xero/faults.ts';
import type { SurePage } from './ask-surely.ts';
import type { CallOutcome } from './call-xero.ts';
import type { Reading } from './slice-outcomes.ts';

type Outcome = CallOutcome<SurePage>;

/**
 * An empty page is the end of what Xero has. Where a call further on has brought journals, or the watermark claims more, it is
 * asked for again, as it may have been a mishap. Is it none, Xero contradicts itself; or a number was wrong that moved the watermark,
 * and journals may have been passed over: then the run goes back to where no hole is. `landings` are what calls further on have brought.
 */
export async function judgeEnd(
  db: Queryable,
  run: Reading,
  offset: number,
  landings: readonly Outcome[],
  { isStored, ask }: { isStored: () => Promise<boolean>; ask: (offset: number) => Promise<Outcome> },
): Promise<'caughtUp' | 'imported' | Exclude<Outcome, { kind: 'answered' }>> {
  const isBehindOthers = landings.some(
    (landed) => landed.kind === 'answered' && (landed.answer.lastNumber ?? 0) > offset,
  );
  const isBefore = isBehindOthers || offset < run.storedThrough;
  if (!isBefore || !(await isStored())) return 'caughtUp';
  const again = await ask(offset);
  if (again.kind !== 'answered') return again;
  if (again.answer.lastNumber !== null) return 'imported';
  if (isBehindOthers) return contradictory(offset);
  if (!run.movesWatermark) return 'caughtUp';
  const lowered = await lowerWatermark(db, run.runId);
  if (lowered === null) return 'caughtUp';
  log.warn(toldLowered(run, offset, lowered));
  return lowered.isSetBack ? 'imported' : 'caughtUp';
}

function toldLowered({ connectionName, stream }: Reading, offset: number, { from, to, isSetBack }: Lowered): string {
  const whence = `Connection "${connectionName}": ${streams[stream].name} were said to be stored through ${from}, but Xero has none after ${offset}, so a number was wrong once.`;
  return isSetBack
    ? `${whence} They are read again from where they are stored without a hole, ${to}.`
    : `${whence} They are stored through ${to}.`;
}

/** Xero documents a page beyond the offset; a mishap is asked for again, as another refusal is. */
export function endless(after: number, through: number): Refused {
  return unlike(
    `Xero was asked for journals after ${after} and sent none beyond ${through}; reading on would never end.`,
  );
}

function contradictory(after: number): Refused {
  return unlike(
    `Xero was asked for journals after ${after} and sent none, though it sent some of those when it was asked for what lies further on.`,
  );
}

/** An answer that is unlike what Xero documents. */
function unlike(what: string): Refused {
  const message = `${what} What was imported stays, and the next import asks again; should it end so too, tell Xero's support.`;
  return { kind: 'refused', status: 200, message, limits: noLimits, correlationId: null };
}
