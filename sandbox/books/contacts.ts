import { mix, seededUuid } from '../seeded.ts';
import { CONTACT_NAMES } from './texts.ts';

export interface Contact {
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'ARCHIVED';
  readonly email: string;
  readonly isSupplier: boolean;
  readonly isCustomer: boolean;
  /** Milliseconds since 1970. */
  readonly updated: number;
}

/** The organisation's contacts, oldest change first; names repeat, since Xero does not promise unique ones. */
export function contactsOf(seed: number, count: number, now: number, days: number): Contact[] {
  return Array.from({ length: count }, (_, index) => {
    const h = mix(seed, index, 0xc0);
    const round = Math.floor(index / CONTACT_NAMES.length);
    return {
      id: seededUuid(seed ^ 0xc0, index + 1),
      name: `${CONTACT_NAMES[index % CONTACT_NAMES.length]}${round % 3 === 0 ? '' : ` ${round}`}`,
      status: h % 11 === 0 ? 'ARCHIVED' : 'ACTIVE',
      email: h % 4 === 0 ? '' : `accounts${index}@example.com`,
      isSupplier: h % 2 === 0,
      isCustomer: h % 3 !== 0,
      updated: Math.floor(now - days * 86_400_000 * (1 - index / count)),
    };
  });
}
