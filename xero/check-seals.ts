import type pg from 'pg';
import { someNamed } from '../model/some-named.ts';
import { countSeals, namesOfAuthorised, pairsSealedUnder, type SealedPair } from '../storage/token-seals.ts';
import type { KeyRing } from './sealing.ts';
import { openPair } from './token-set.ts';

export interface SealCheck {
  pairs: number;
  /** Why pairs do not open, each reason once, with the connections concerned. */
  problems: string[];
}

const batch = 200;

/** Opens every stored pair of tokens at its place and lets it go again. */
export async function checkSeals(pool: pg.Pool, keys: KeyRing): Promise<SealCheck> {
  const problems = new Map<string, Set<string>>();
  let pairs = 0;
  for (const { header } of await countSeals(pool)) {
    for (let after: SealedPair | null = null; ; ) {
      const read: SealedPair[] = await pairsSealedUnder(pool, header, after, batch);
      for (const pair of read) {
        await openPair(keys, pair.clientId, pair.authorisationId, pair).catch(({ message }: Error) =>
          problems.set(message, (problems.get(message) ?? new Set()).add(pair.authorisationId)),
        );
      }
      pairs += read.length;
      after = read.at(-1) ?? null;
      if (read.length < batch) break;
    }
  }
  const said = [...problems].map(async ([why, of]) => `${why}${concerned(await namesOfAuthorised(pool, [...of]))}`);
  return { pairs, problems: await Promise.all(said) };
}

/** Of more the rest is counted. */
const mostNamed = 5;

/** None where it is of a consent that no connection was made of. */
function concerned(names: string[]): string {
  return names.length === 0 ? '' : ` Concerned: ${someNamed(names, mostNamed)}.`;
}
