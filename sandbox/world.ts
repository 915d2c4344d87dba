import type { Organisation } from './api/organisation.ts';
import { makeBooks } from './books/books.ts';
import type { Clock } from './clock.ts';
import { DEFAULT_NAMES, type OrganisationOptions, type SandboxOptions } from './options.ts';
import { mix, seededUuid } from './seeded.ts';

const PLACES: [currency: string, country: string][] = [
  ['NZD', 'NZ'],
  ['DKK', 'DK'],
  ['AUD', 'AU'],
  ['JPY', 'JP'],
  ['GBP', 'GB'],
];

/** Makes the sandbox's organisations. Tenant ids and books are functions of the seed, so a restart changes nothing. */
export function makeOrganisations(
  options: SandboxOptions & { journals: number },
  booksNow: number,
  clock: Clock,
): Organisation[] {
  const seed = options.seed ?? 1;
  const wanted = options.organisations ?? 1;
  const list: OrganisationOptions[] = typeof wanted === 'number' ? Array.from({ length: wanted }, () => ({})) : wanted;
  return list.map((given, index) => {
    const [currency, country] = PLACES[index % PLACES.length] ?? ['NZD', 'NZ'];
    const round = Math.floor(index / DEFAULT_NAMES.length);
    const { name, tenantId, baseCurrency, countryCode, ...books } = given;
    return {
      tenantId: tenantId ?? seededUuid(mix(seed, 0x7e4a), index + 1),
      name: name ?? `${DEFAULT_NAMES[index % DEFAULT_NAMES.length]}${round === 0 ? '' : ` ${round + 1}`}`,
      baseCurrency: baseCurrency ?? currency,
      countryCode: countryCode ?? country,
      books: makeBooks(
        {
          seed: mix(seed, 0xb00c, index + 1),
          journals: options.journals,
          currency: baseCurrency ?? currency,
          ...(options.invoices === undefined ? {} : { invoices: options.invoices }),
          now: booksNow,
          ...(options.gapRate === undefined ? {} : { gapRate: options.gapRate }),
          ...(options.contiguous === undefined ? {} : { contiguous: options.contiguous }),
          ...books,
        },
        () => clock.wall(),
      ),
    };
  });
}
