import { html } from 'hono/html';
import type { RunStatus } from '../../model/run.ts';
import type { Stream } from '../../model/streams.ts';
import { becauseOf } from '../../model/waiting.ts';
import type { OverviewConnection, OverviewRun } from '../../storage/overview.ts';
import { count, type Html, inCode, instant } from './layout.ts';

// What is said of connections and runs, in words and with a mark; never by colour alone.

const marks = { connected: ['●', 'good', 'Connected'], needsReconnect: ['▲', 'bad', 'Needs reconnect'] } as const;

/** A run that waits for a consent tells more than the authorisation: the organisation may be disconnected in Xero. */
export function needsReconnect({ status, openRuns }: OverviewConnection): boolean {
  return status === 'needsReconnect' || openRuns.some((run) => run.status === 'needsReconnect');
}

export function statusOf(connection: OverviewConnection): Html {
  const [mark, tone, words] = marks[needsReconnect(connection) ? 'needsReconnect' : 'connected'];
  return badge(mark, tone, words);
}

export function badge(mark: string, tone: 'good' | 'bad' | 'idle', words: string): Html {
  return html`<span class="badge ${tone}"><span aria-hidden="true">${mark}</span> ${words}</span>`;
}

export function callsLeft({ callsLeft: left, blocked }: OverviewConnection): Html {
  const until = blocked?.by === 'day' ? html` <span class="hint">until ${instant(blocked.until)}</span>` : '';
  if (left === null) return html`<span class="hint">not known yet</span>`;
  return html`${count(left.calls)}${until || html` <span class="hint">as of ${instant(left.at)}</span>`}`;
}

/** What it can be used for, as tried when it was connected, and why not for the rest. */
export function importable({ entitlements, entitlementsProbedAt: at }: OverviewConnection): Html {
  if (at === null) return html`<span class="hint">not tried yet</span>`;
  const works = entitlements.filter((each) => each.works).map(({ what }) => what);
  const others = entitlements.filter((each) => !each.works);
  return html`${works.join(', ') || 'nothing'} <span class="hint">as tried ${instant(at)}</span>${others.map(({ message }) => html`<span class="hint">${inCode(message)}</span>`)}`;
}

export const streamWords: Record<Stream, string> = {
  journals: 'Journals',
  cashJournals: 'Cash journals',
  invoices: 'Invoices',
};

const endWords: Partial<Record<RunStatus, string>> = {
  caughtUp: 'complete',
  cancelled: 'cancelled',
  failed: 'failed',
};

export function lastImport({ lastRun }: OverviewConnection): Html {
  if (lastRun === null) return html`<span class="hint">none yet</span>`;
  const { stream, status, endedAt, stored, quarantined, message } = lastRun;
  const why = status === 'failed' && message !== null ? html`<span class="hint">${message}</span>` : '';
  return html`${streamWords[stream]}, ${endWords[status] ?? status} <span class="hint">${endedAt === null ? '' : instant(endedAt)}; ${count(stored)} new${quarantined > 0 ? html`, ${count(quarantined)} in quarantine` : ''}</span>${why}`;
}

const openWords: Partial<Record<RunStatus, string>> = {
  running: 'Running',
  stopping: 'Stopping',
  paused: 'Paused',
  needsReconnect: 'Waits until the connection is reconnected',
  waiting: 'Waits',
};

/** What an open run does; of one that waits, until when and why, as `daybook status` says it. */
export function openRunWords({ status, waitingUntil, blockedBy }: OverviewRun): Html {
  const words = openWords[status] ?? status;
  return waitingUntil === null
    ? html`${words}`
    : html`${words}, goes on at ${instant(waitingUntil)}${becauseOf(blockedBy)}`;
}
