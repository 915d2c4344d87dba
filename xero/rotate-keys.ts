import { decodeProtectedHeader } from 'jose';
import type pg from 'pg';
import { recordAct } from '../storage/audit.ts';
import { inTransaction } from '../storage/pool.ts';
import { countSeals, pairsSealedUnder, replaceSeals, type SealedPair } from '../storage/token-seals.ts';
import type { KeyRing } from './sealing.ts';
import { openPair, sealPair } from './token-set.ts';

/** How many pairs each key has sealed, by the key's name. */
export type Seals = Record<string, number>;

export async function listSeals(pool: pg.Pool): Promise<Seals> {
  const seals: Seals = {};
  for (const { header, pairs } of await countSeals(pool)) {
    const kid = kidOf(header);
    seals[kid] = (seals[kid] ?? 0) + pairs;
  }
  return seals;
}

export interface Rotated {
  before: Seals;
  after: Seals;
  /** Pairs that another key sealed and that do not open: why, each once. They stay as they are. */
  problems: string[];
}

const batch = 200;

/**
 * Seals every stored pair with the first key. Safe beside running refreshes, and to be repeated: what a crash left undone is
 * done the next time. It goes by batches, each of them one commit together with its row in the audit, which says how many
 * pairs went from which key to which: after a crash the rows add up to what was done, and no refresh waits for the whole.
 */
export async function rotateKeys(pool: pg.Pool, keys: KeyRing, actor: string): Promise<Rotated> {
  const [first = ''] = keys.kids;
  const before = await listSeals(pool);
  const problems = new Set<string>();
  for (const { header } of await countSeals(pool)) {
    const kid = kidOf(header);
    if (kid === first) continue;
    for (let after: SealedPair | null = null; ; ) {
      const pairs: SealedPair[] = await pairsSealedUnder(pool, header, after, batch);
      // Before the transaction: a key that is missing or slow must not hold rows.
      const seals = await sealAnew(keys, pairs, (problem) => problems.add(problem));
      await inTransaction(pool, async (db) => {
        const moved = await replaceSeals(db, seals);
        if (moved === 0) return;
        const counts = { before: { [kid]: moved }, after: { [first]: moved } };
        await recordAct(db, { actor, act: 'rotateKeys', subject: first, ...counts });
      });
      after = pairs.at(-1) ?? null;
      if (pairs.length < batch) break;
    }
  }
  return { before, after: await listSeals(pool), problems: [...problems] };
}

async function sealAnew(keys: KeyRing, pairs: SealedPair[], onProblem: (problem: string) => void) {
  const seals: { read: SealedPair; sealed: unknown }[] = [];
  for (const read of pairs) {
    const { clientId, authorisationId, generation } = read;
    try {
      const opened = await openPair(keys, clientId, authorisationId, read);
      seals.push({ read, sealed: await sealPair(keys, clientId, opened)(authorisationId, generation) });
    } catch (error) {
      onProblem(error instanceof Error ? error.message : String(error));
    }
  }
  return seals;
}

function kidOf(header: string): string {
  return decodeProtectedHeader({ protected: header }).kid ?? '(none)';
}
