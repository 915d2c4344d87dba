import pg from 'pg';

/** How the databases of one run begin. */
export function prefixOf(runId: string): string {
  return `daybook_test_${runId}_`;
}

/** Runs something over a connection of its own, closed afterwards. */
export async function asAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** Removes what a run left on a server that outlives it. */
export async function dropTestDatabases(adminUrl: string, runId: string): Promise<void> {
  await asAdmin(adminUrl, async (admin) => {
    const found = await admin.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [prefixOf(runId)],
    );
    for (const { datname } of found.rows) await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  });
}
