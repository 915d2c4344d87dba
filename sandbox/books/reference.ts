import type { Account, Chart } from './chart.ts';
import type { Contact } from './contacts.ts';
import type { TrackingCategory } from './tracking.ts';

type Status = 'ACTIVE' | 'ARCHIVED';

/**
 * Reference data as it stands now. What was posted keeps the names and codes of its day: a renaming leaves old journals
 * alone, as in Xero, and journals posted by the sandbox later keep to the first names, too.
 */
export interface ReferenceBook {
  accounts(): { account: Account; updated: number }[];
  categories(): readonly TrackingCategory[];
  /** Oldest change first. */
  contacts(): readonly Contact[];
  /**
   * By the code, or name, that the account began with; dated now, or as `updated` says (milliseconds since 1970): Xero may show a
   * change late, or date it ahead. Throws when there is none.
   */
  changeAccount(codeOrName: string, change: { name?: string; code?: string; status?: Status; updated?: number }): void;
  /** By the names that they began with. Throws when there is no such option. */
  changeOption(category: string, option: string, change: { name?: string; status?: Status }): void;
  changeContact(id: string, change: { name?: string; status?: Status; updated?: number }): void;
}

export function referenceBook(
  began: { chart: Chart; tracking: readonly TrackingCategory[]; contacts: readonly Contact[]; began: number },
  clock: () => number,
): ReferenceBook {
  const accounts = new Map(
    began.chart.all.map((account, index) => [account.id, { account, updated: began.began + index * 86_400_000 }]),
  );
  let categories = began.tracking;
  let contacts = began.contacts;
  return {
    accounts: () => [...accounts.values()],
    categories: () => categories,
    contacts: () => contacts,
    changeAccount(codeOrName, { updated = clock(), ...change }) {
      const { id } = began.chart.find(codeOrName);
      const known = accounts.get(id);
      if (known) accounts.set(id, { account: { ...known.account, ...change }, updated });
    },
    changeOption(categoryName, optionName, change) {
      const first = began.tracking.find((each) => each.name === categoryName);
      const id = first?.options.find((each) => each.name === optionName)?.id;
      if (id === undefined) throw new Error(`The sandbox has no tracking option "${categoryName}: ${optionName}".`);
      categories = categories.map((category) => ({
        ...category,
        options: category.options.map((option) => (option.id === id ? { ...option, ...change } : option)),
      }));
    },
    changeContact(id, { updated = clock(), ...change }) {
      const known = contacts.find((each) => each.id === id);
      if (!known) throw new Error(`The sandbox has no contact ${id}.`);
      const others = contacts.filter((each) => each !== known);
      contacts = [...others, { ...known, ...change, updated }].toSorted((one, other) => one.updated - other.updated);
    },
  };
}
