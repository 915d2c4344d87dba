import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openAnyRun } from '../support/any-run.ts';
import { createDataFolder } from '../support/data-folder.ts';
import { createTestDatabase } from '../support/database.ts';

const runs = 600;

test('who takes a long answer late has all of it, and whatever is open is in it', async () => {
  const database = await createTestDatabase();
  try {
    // The oldest is at work; the newer ones wait for an admin, so Temporal is not asked about them.
    const tenantId = await openAnyRun(database.pool);
    await database.pool.query(
      `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream, request,
                                       starting_at, moves_watermark, next_offset, status, started_at)
       select gen_random_uuid(), 'w' || n, $1, 'x', 'a', $1, 'journals', '{}', 0, false, 0, 'needsReconnect', now() + n * interval '1 second'
         from generate_series(1, $2::int) n`,
      [tenantId, runs],
    );
    const daybook = `'${process.execPath}' bin/daybook.mjs status --json`;
    const { stdout } = await promisify(execFile)('sh', ['-c', `${daybook} | (sleep 5; cat)`], {
      cwd: resolve(import.meta.dirname, '../..'),
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: database.url,
        TEMPORAL_ADDRESS: '127.0.0.1:1',
        DAYBOOK_TOKEN_KEYS: `k1:${Buffer.alloc(32, 3).toString('base64')}`,
        DAYBOOK_DATA_DIR: await createDataFolder('slow-reader'),
      },
      maxBuffer: 10_000_000,
    });
    // More than a pipe holds.
    expect(stdout.length).toBeGreaterThan(200_000);
    const told = JSON.parse(stdout) as { workflowId: string }[];
    expect(told).toHaveLength(runs + 1);
    expect(told.at(-1)?.workflowId).toBe('w');
  } finally {
    await database.drop();
  }
}, 60_000);
