import type pg from 'pg';
import { countSeals, pairsSealedUnder, type SealedPair } from '../storage/token-seals.ts';
import type { KeyRing } from './sealing.ts';
import { openPair } from './token-set.ts';

export interface SealCheck {
  pairs: number;
  /** Why pairs do not open, each reason once. */
  problems: string[];
}

const batch = 200;

/** Opens every stored pair of tokens at its place and lets it go again. */
export async function checkSeals(pool: pg.Pool, keys: KeyRing): Promise<SealCheck> {
  const problems = new Set<string>();
  let pairs = 0;
  for (const { header } of await countSeals(pool)) {
    for (let after: SealedPair | null = null; ; ) {
      const read: SealedPair[] = await pairsSealedUnder(pool, header, after, batch);
      for (const pair of read) {
        await openPair(keys, pair.clientId, pair.authorisationId, pair).catch((error: Error) =>
          problems.add(error.message),
        );
      }
      pairs += read.length;
      after = read.at(-1) ?? null;
      if (read.length < batch) break;
    }
  }
  return { pairs, problems: [...problems] };
}
