import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminPlace, keysOf } from '../admin/place.ts';
import { awaitHandover, dropHandover, takeHandover } from '../storage/consent-handover.ts';
import { handoverBinding } from '../web/handover.ts';
import { hashOf } from '../web/secrets.ts';
import type { Listening } from './callback.ts';

const lookEachMs = 500;

/**
 * Lets the connect page that has the callback's port hand the callback over, through the database; null where what answers
 * there is none of ours. `take` is given the address that came, or why none will.
 */
export async function receiveThroughPage(
  place: AdminPlace,
  state: string,
  take: (answer: string | Error) => void,
): Promise<Listening | null> {
  const { pool, xero } = place;
  const stateHash = hashOf(state);
  await awaitHandover(pool, stateHash);
  // Only a page that works on this very database can know of it.
  const question = new URL(`/oauth/awaited/${stateHash.toString('hex')}`, xero.redirectUri);
  const known = await fetch(question, { redirect: 'error', signal: AbortSignal.timeout(5_000) }).then(
    ({ status }) => status === 204,
    () => false,
  );
  const stopping = new AbortController();
  async function look(): Promise<void> {
    for (;;) {
      const sealed = await takeHandover(pool, stateHash);
      if (sealed !== null) {
        const query = await keysOf(place).open(sealed, handoverBinding(stateHash));
        return take(`${xero.redirectUri}${query}`);
      }
      await sleep(lookEachMs, null, { signal: stopping.signal });
    }
  }
  const looking = known ? look().catch((error: Error) => !stopping.signal.aborted && take(error)) : null;
  const close = async () => {
    stopping.abort();
    await looking;
    await dropHandover(pool, stateHash);
  };
  if (known) return { trouble: null, close };
  await close();
  return null;
}
