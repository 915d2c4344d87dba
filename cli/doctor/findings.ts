import { ConfigurationError } from '../../config/config.ts';

/** What a check found: `notChecked` where something that it needs is not there. */
type Verdict = 'well' | 'wrong' | 'notChecked';

export interface Finding {
  check: string;
  verdict: Verdict;
  /** Sentences: what is wrong with its remedy, or what is worth knowing. */
  says: string[];
}

export type Found = Omit<Finding, 'check'>;

/** One thing to look at, by name. */
export interface Check {
  check: string;
  look(): Promise<Found>;
}

/** What another check looks at is not there: this one cannot run, and the other says why. */
export class NotThere extends Error {
  override name = 'NotThere';
}

/** All is well, unless there are problems; `facts` are said when it is. */
export function judge(problems: string[], facts: string[]): Found {
  return problems.length > 0 ? { verdict: 'wrong', says: problems } : { verdict: 'well', says: facts };
}

/** A server that has not answered in this time does not answer. */
const withinMs = 15_000;

/** Runs all checks side by side. One that fails in an unforeseen way is a finding, too; no secret is in any of them. */
export async function examine(checks: readonly Check[], secrets: readonly string[]): Promise<Finding[]> {
  return Promise.all(
    checks.map(async ({ check, look }) => {
      const { verdict, says } = await inTime(look()).catch(notChecked);
      return { check, verdict, says: says.map((sentence) => without(secrets, sentence)) };
    }),
  );
}

function inTime(found: Promise<Found>): Promise<Found> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer came within ${withinMs / 1_000} s`)), withinMs);
  });
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
}

function notChecked(error: unknown): Found {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigurationError) return judge([message], []);
  return {
    verdict: 'notChecked',
    says: [error instanceof NotThere ? message : `It could not be looked at: ${message}`],
  };
}

function without(secrets: readonly string[], sentence: string): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), sentence);
}
