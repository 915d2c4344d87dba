import { decodeProtectedHeader } from 'jose';
import type pg from 'pg';
import { recordAct } from '../storage/audit.ts';
import { countSeals, pairsSealedUnder, replaceSeal, type SealedPair } from '../storage/token-seals.ts';
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
 * done the next time. Written down in the audit when anything was to be done.
 */
export async function rotateKeys(pool: pg.Pool, keys: KeyRing, actor: string): Promise<Rotated> {
  const [first = ''] = keys.kids;
  const before = await listSeals(pool);
  const problems = new Set<string>();
  for (const { header } of await countSeals(pool)) {
    if (kidOf(header) === first) continue;
    for (let after: SealedPair | null = null; ; ) {
      const pairs: SealedPair[] = await pairsSealedUnder(pool, header, after, batch);
      for (const pair of pairs) {
        const { clientId, authorisationId, generation } = pair;
        try {
          const opened = await openPair(keys, clientId, authorisationId, pair);
          await replaceSeal(pool, pair, await sealPair(keys, clientId, opened)(authorisationId, generation));
        } catch (error) {
          if (!(error instanceof Error) || 'code' in error) throw error;
          problems.add(error.message);
        }
      }
      after = pairs.at(-1) ?? null;
      if (pairs.length < batch) break;
    }
  }
  const after = await listSeals(pool);
  if (JSON.stringify(before) !== JSON.stringify(after)) {
    await recordAct(pool, { actor, act: 'rotateKeys', subject: first, before, after });
  }
  return { before, after, problems: [...problems] };
}

function kidOf(header: string): string {
  return decodeProtectedHeader({ protected: header }).kid ?? '(none)';
}
