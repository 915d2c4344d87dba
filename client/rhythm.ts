import type { ScheduleDescription } from '@temporalio/client';

type Spec = ScheduleDescription['spec'];
type Calendar = NonNullable<Spec['calendars']>[number];
interface Range {
  start: number | string;
  end: number | string;
  step: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * When a Schedule starts, for people. Temporal keeps of a cron expression what its fields stand for, and not its text
 * (https://docs.temporal.io/schedule), so it is told by fields of the same meaning.
 */
export function rhythmInWords({ intervals = [], calendars = [], timezone }: Spec): string {
  const zone = timezone === undefined || ['', 'UTC'].includes(timezone) ? '' : ` (${timezone})`;
  const said = [
    ...intervals.map(({ every }) => `every ${lasting(Number(every))}`),
    ...calendars.map((calendar) => `cron ${fieldsOf(calendar)}${zone}`),
  ];
  return said.join(', ') || 'none';
}

function lasting(ms: number): string {
  for (const [size, unit] of [
    [dayMs, 'day'],
    [hourMs, 'hour'],
    [minuteMs, 'minute'],
  ] as const) {
    if (ms % size === 0) return ms === size ? unit : `${ms / size} ${unit}s`;
  }
  return `${ms / 1_000} seconds`;
}

const months = 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER'.split(' ');
const weekdays = 'SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY'.split(' ');

function fieldsOf({ minute, hour, dayOfMonth, month, dayOfWeek }: Calendar): string {
  const fields = [field(minute, 0, 59), field(hour, 0, 23), field(dayOfMonth, 1, 31)];
  return [...fields, field(month, 1, 12, months), field(dayOfWeek, 0, 6, weekdays)].join(' ');
}

/** `names` stand for the numbers from `least` on. */
function field(ranges: readonly Range[], least: number, most: number, names: readonly string[] = []): string {
  const asNumber = (value: number | string) => (typeof value === 'number' ? value : names.indexOf(value) + least);
  const parts = ranges.map((range) => {
    const [start, end] = [asNumber(range.start), asNumber(range.end)];
    const step = range.step > 1 ? `/${range.step}` : '';
    if (start === least && end === most) return `*${step}`;
    return start === end ? `${start}` : `${start}-${end}${step}`;
  });
  return parts.join(',');
}
