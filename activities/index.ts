import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { XeroApi } from '../xero/api.ts';
import type { Tokens } from '../xero/tokens.ts';
import { createBeginImport } from './begin-import.ts';
import { createFinishImport } from './finish-import.ts';
import { createImportPage } from './import-page.ts';
import { createMarkRun } from './mark-run.ts';

/** What the activities need; made once by the worker. */
export interface Dependencies {
  pool: pg.Pool;
  xero: XeroApi;
  tokens: Tokens;
  /** The Xero app's client id: the scope of the quota that all its tenants share. */
  clientId: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** To ask whether the workflow that holds a stream still runs. */
  client: () => Client;
}

/** All activities, each closed over what it needs. */
export function createActivities(dependencies: Dependencies) {
  return {
    beginImport: createBeginImport(dependencies),
    importPage: createImportPage(dependencies),
    markRun: createMarkRun(dependencies),
    finishImport: createFinishImport(dependencies),
  };
}

export type Activities = ReturnType<typeof createActivities>;
