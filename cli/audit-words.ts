import type { AdminAct } from '../storage/audit.ts';

/** An act names its connection; these say nothing to a person. */
const ids = ['tenantId', 'authorisationId'];

const words: Record<string, string> = {
  quotaReserve: 'reserve',
  tenantName: 'organisation',
  atXero: 'at Xero',
};

/** What an act changed, in one line: each thing before → after, or what there was or is of it where nothing is set against it. */
export function changeInWords({ before, after }: Pick<AdminAct, 'before' | 'after'>): string {
  const [was, is] = [factsOf(before), factsOf(after)];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => !ids.includes(key))
    .flatMap((key) => {
      const sides = [was, is].filter((side) => key in side).map((side) => inWords(side[key]));
      return sides[0] === sides[1] ? [] : `${words[key] ?? key}: ${sides.join(' → ')}`;
    })
    .join('; ');
}

function factsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(inWords).join(', ') || 'none';
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return value === null || value === undefined ? 'none' : String(value);
}
