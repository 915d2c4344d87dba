import { setCurrentDetails } from '@temporalio/workflow';
import { noTotals, type Progress, type Wait } from '../model/run.ts';
import { streams } from '../model/streams.ts';

/** Where an import stands, as the query `progress` and the Temporal UI's current details show it. */
export class Standing {
  #progress: Progress;

  constructor(known: Partial<Progress>) {
    this.#progress = {
      run: null,
      status: 'running',
      readThrough: null,
      dayRemaining: null,
      totals: noTotals,
      waitingFor: null,
      waitingUntil: null,
      ...known,
    };
    setCurrentDetails(inMarkdown(this.#progress));
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** Nothing is waited for any more, unless the change says so. */
  change(change: Partial<Progress>): void {
    this.#progress = { ...this.#progress, waitingFor: null, waitingUntil: null, ...change };
    setCurrentDetails(inMarkdown(this.#progress));
  }
}

/** When a wait is over by Temporal's clock: for as long as the worker said, whose own may be ahead of it or behind. */
export function endOf({ until, inMs }: Wait): number {
  return inMs === undefined ? Date.parse(until) : Date.now() + inMs;
}

/** How often a lost authorisation is looked at again, should nobody send `lookAgain` after reconnecting. */
export const reconnectCheckMs = 10 * 60_000;

function inMarkdown(progress: Progress): string {
  const { run, status, readThrough, dayRemaining, totals, waitingFor, waitingUntil } = progress;
  if (run === null) return 'The request is being checked.';
  const lines = [
    `## ${run.organisation}: ${run.wanted}`,
    `Connection **${run.connection}**, application **${run.application}**, status **${status}**`,
  ];
  if (waitingFor !== null)
    lines.push(`**Waiting:** ${waitingFor}${waitingUntil ? `; goes on at **${waitingUntil}**` : ''}`);
  lines.push(
    `- ${totals.stored} ${streams[run.stream].rows} stored, read through ${readThrough ?? '(not begun)'}`,
    `- ${totals.pages} pages, ${totals.calls} calls, ${dayRemaining ?? 'an unknown number of'} calls left today`,
    `- ${totals.quarantined} in quarantine`,
  );
  return lines.join('\n\n');
}
