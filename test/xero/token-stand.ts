import type { XeroApp } from '../../model/xero-app.ts';
import type { GraceVariant } from '../../sandbox/options.ts';
import { startSandbox } from '../../sandbox/server.ts';
import { createOAuth } from '../../xero/oauth.ts';
import { createKeyRing } from '../../xero/sealing.ts';
import { storeAuthorisation } from '../../xero/store-authorisation.ts';
import { createTokens } from '../../xero/tokens.ts';
import { createTestDatabase } from '../support/database.ts';

/** A database, a sandbox, and as many "processes" (token sources with caches of their own) as a test wants. */
export async function startTokenStand(grace: GraceVariant = 'sibling') {
  const database = await createTestDatabase();
  const sandbox = await startSandbox({ journals: 10, organisations: 2, print: () => {}, grace });
  const { pool } = database;
  const tokenKeys = `k1:${Buffer.alloc(32, 7).toString('base64')}`;
  const keys = createKeyRing(tokenKeys);
  const xero: XeroApp = {
    clientId: sandbox.clientId,
    clientSecret: sandbox.clientSecret,
    redirectUri: 'http://localhost:8088/oauth/callback',
    scopes: ['offline_access', 'accounting.journals.read', 'accounting.settings.read'],
    apiUrl: sandbox.apiUrl,
    identityUrl: sandbox.identityUrl,
    loginUrl: sandbox.loginUrl,
  };
  const now = () => Date.now();
  const logged: unknown[] = [];
  const note = (facts: object, message: string) => logged.push({ facts, message });
  const log = { info: note, warn: note, error: note };
  let user = 0;

  async function consent(choice: { userId?: string; deny?: boolean; tenantIds?: string[] } = {}, config = xero) {
    user += 1;
    const userId = choice.userId ?? `00000000-0000-4000-8000-${String(user).padStart(12, '0')}`;
    const oauth = createOAuth({ xero: config, now });
    const { address, ...kept } = await oauth.begin();
    const callbackUrl = sandbox.consent(address, { ...choice, userId });
    const exchange = () => oauth.finish({ callbackUrl, ...kept });
    return storeAuthorisation({ pool, clientId: config.clientId, keys, exchange });
  }

  return {
    databaseUrl: database.url,
    pool,
    sandbox,
    tokenKeys,
    keys,
    xero,
    now,
    log,
    logged,
    consent,
    process: (config: XeroApp = xero, timeoutSeconds = 1, patienceMs = 30_000) =>
      createTokens({ pool, xero: config, keys, now, log, timeoutSeconds, patienceMs }),
    async authorise(): Promise<string> {
      const stored = await consent();
      if (stored.kind !== 'authorised') throw new Error(stored.message);
      return stored.authorisationId;
    },
    /** Lets the stored access tokens end now. */
    expire: (id: string) =>
      pool.query(`update daybook.authorisation_token set expires_at = now() where authorisation_id = $1`, [id]),
    /** Lets time pass for everything stored of an authorisation. */
    age: async (id: string, seconds: number) => {
      await pool.query(
        `update daybook.refresh_attempt set started_at = started_at - $2 * interval '1 second' where authorisation_id = $1`,
        [id, seconds],
      );
      await pool.query(
        `update daybook.authorisation_token set first_used_at = first_used_at - $2 * interval '1 second',
                stored_at = stored_at - $2 * interval '1 second' where authorisation_id = $1`,
        [id, seconds],
      );
    },
    async row(id: string) {
      const { rows } = await pool.query(
        `select status, generation, message,
                (select count(*)::int from daybook.refresh_attempt r where r.authorisation_id = a.authorisation_id and outcome is null) as open,
                (select array_agg(outcome order by started_at) from daybook.refresh_attempt r where r.authorisation_id = a.authorisation_id) as outcomes,
                (select count(*)::int from daybook.authorisation_token t where t.authorisation_id = a.authorisation_id) as pairs
           from daybook.authorisation a where authorisation_id = $1`,
        [id],
      );
      return rows[0];
    },
    async stop() {
      await sandbox.close();
      await database.drop();
    },
  };
}
