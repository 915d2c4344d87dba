import { RequestRefused } from '../client/refused.ts';

/** By what a person types the fields of a request on the command line. */
const options: Record<string, string> = {
  connection: '--connection',
  application: '--application',
  startingAtJournalId: '--from',
  endingAtJournalId: '--to',
  modifiedSince: '--modified-since',
  basis: '--basis',
  quotaReserve: '--reserve',
  date: '--date',
  conversionDate: '--conversion-date',
  cron: '--cron',
};

/** What is wrong with a request, as its schema says it, for who typed options: their names stand where it begins with a field's. */
export function asTyped(problems: readonly string[]): string[] {
  return problems.map((problem) =>
    problem
      .replace(/^\w+(?= (?:is|must) )/, (field) => options[field] ?? field)
      .replace(/(?<=, before )startingAtJournalId/, '--from'),
  );
}

/** The same of what is refused meanwhile. */
export async function refusedAsTyped<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof RequestRefused ? new RequestRefused(asTyped(error.problems)) : error;
  });
}
