import { describe, expect, it } from 'vitest';
import type { SandboxOptions } from '../../sandbox/server.ts';
import { refresh, sandboxFor } from './xero-client.ts';

/** Uses R0 twice, as after a lost answer: [first answer, second answer]. */
async function lostAnswer(options: SandboxOptions) {
  const sandbox = await sandboxFor(options);
  const r0 = sandbox.tokens.mint().refresh_token ?? '';
  const first = await refresh(sandbox, r0);
  sandbox.advance(29 * 60);
  const second = await refresh(sandbox, r0);
  return { sandbox, r0, first, second, ok: async (token: string) => (await refresh(sandbox, token)).status === 200 };
}

describe('a used refresh token inside its 30 minutes of grace', () => {
  it('sibling: gives another pair, and both stay good', async () => {
    const { first, second, ok } = await lostAnswer({});
    expect(second.json.refresh_token).not.toBe(first.json.refresh_token);
    expect([await ok(first.json.refresh_token), await ok(second.json.refresh_token)]).toEqual([true, true]);
  });

  it('same: gives the same refresh token again', async () => {
    const { first, second, ok } = await lostAnswer({ grace: 'same' });
    expect(second.json.refresh_token).toBe(first.json.refresh_token);
    expect(await ok(second.json.refresh_token)).toBe(true);
  });

  it('latestWins: gives another pair and kills the earlier one', async () => {
    const { first, second, ok } = await lostAnswer({ grace: 'latestWins' });
    expect([await ok(first.json.refresh_token), await ok(second.json.refresh_token)]).toEqual([false, true]);
  });

  it('none: is refused, and its successor stays good', async () => {
    const { first, second, ok } = await lostAnswer({ grace: 'none' });
    expect([second.status, second.json]).toEqual([400, { error: 'invalid_grant' }]);
    expect(await ok(first.json.refresh_token)).toBe(true);
  });

  it('after the grace it is refused; with reuseKillsAuthorisation its successors are, too', async () => {
    const { sandbox, r0, first, ok } = await lostAnswer({});
    sandbox.advance(120);
    expect([await ok(r0), await ok(first.json.refresh_token)]).toEqual([false, true]);
    const strict = await lostAnswer({ grace: 'none', reuseKillsAuthorisation: true });
    expect(await strict.ok(strict.first.json.refresh_token)).toBe(false);
  });

  it('an unused one lives 60 days; every use is counted and kept for a checker', async () => {
    const sandbox = await sandboxFor();
    const [kept, lost] = [sandbox.tokens.mint().refresh_token ?? '', sandbox.tokens.mint().refresh_token ?? ''];
    sandbox.advance(59 * 86_400);
    const next = await refresh(sandbox, kept);
    sandbox.advance(2 * 86_400);
    expect((await refresh(sandbox, lost)).json).toEqual({ error: 'invalid_grant' });
    expect((await refresh(sandbox, next.json.refresh_token)).status).toBe(200);
    expect([sandbox.tokens.calls, sandbox.tokens.refreshes]).toEqual([3, 2]);
    expect(sandbox.tokens.events().map((each) => each.outcome)).toEqual(['ok', 'invalid_grant', 'ok']);
    expect(sandbox.tokens.events()[0]).toMatchObject({ presented: kept, issued: next.json.refresh_token });
  });
});
