import { seededUuid } from '../seeded.ts';
import { ARCHIVED_OPTIONS, TRACKING } from './texts.ts';

interface TrackingOption {
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'ARCHIVED';
}

export interface TrackingCategory {
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'ARCHIVED';
  readonly options: readonly TrackingOption[];
}

/** One tag of one journal line; a line has at most two. */
export interface TrackingTag {
  readonly category: TrackingCategory;
  readonly option: TrackingOption;
}

/** The organisation's tracking categories, archived ones included. */
export function trackingCategories(seed: number): TrackingCategory[] {
  return TRACKING.map((row, index) => ({
    id: seededUuid(seed ^ 0x7ac, index + 1),
    name: row.name,
    status: row.status,
    options: row.options.map((name, option) => ({
      id: seededUuid(seed ^ 0x7ac, index + 1, option + 1),
      name,
      status: ARCHIVED_OPTIONS.includes(name) ? 'ARCHIVED' : 'ACTIVE',
    })),
  }));
}
