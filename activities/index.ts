import type pg from 'pg';
import type { RunIds } from '../storage/runs.ts';
import type { XeroApi } from '../xero/api.ts';
import type { Tokens } from '../xero/tokens.ts';
import type { Afterwards } from './afterwards.ts';
import { createBeginImport } from './begin-import.ts';
import { createFinishImport } from './finish-import.ts';
import { createImportPages } from './import-pages.ts';
import { createMarkRun } from './mark-run.ts';
import type { Meters } from './meters.ts';
import { createOutages, type Outages } from './outages.ts';
import type { Permits } from './permits.ts';
import { createReconcile } from './reconcile.ts';
import { createRefreshIdleAuthorisations } from './refresh-idle-authorisations.ts';
import { createRefusals, type Refusals } from './refusals.ts';

/** What the activities need; made once by the worker. */
export interface Dependencies extends Given {
  refusals: Refusals;
  outages: Outages;
}

/** What the worker hands them. */
interface Given {
  pool: pg.Pool;
  xero: XeroApi;
  tokens: Tokens;
  permits: Permits;
  meters: Meters;
  afterwards: Afterwards;
  /**
   * For how long one activity reads pages before it reports to the workflow, in milliseconds: a round through Temporal costs
   * more than a page does, and people want to see progress.
   */
  sliceMs: number;
  /** Whether the worker has been told to stop: pages in flight are stored, no more are asked for. */
  stopping: () => boolean;
  /** Address of the connect page, for the sentence that asks to reconnect. */
  connectPage?: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Whether the workflow that drives a run still runs, which is for Temporal to say. */
  isRunning: (run: RunIds) => Promise<boolean>;
}

/** All activities, each closed over what it needs. */
export function createActivities(given: Given) {
  const dependencies = { ...given, refusals: createRefusals(), outages: createOutages(given.now) };
  return {
    beginImport: createBeginImport(dependencies),
    importPages: createImportPages(dependencies),
    markRun: createMarkRun(dependencies),
    finishImport: createFinishImport(dependencies),
    reconcile: createReconcile(dependencies),
    refreshIdleAuthorisations: createRefreshIdleAuthorisations(dependencies),
  };
}

export type Activities = ReturnType<typeof createActivities>;
