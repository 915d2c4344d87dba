import pg from 'pg';

/** An error of Postgres's, with its SQLSTATE. */
export type DataError = Error & { code: string };

/** Class 22: the data cannot be what the column wants. Class 23: it breaks a constraint. 54000: one value is too large. */
export function isAboutData(error: unknown): error is DataError {
  return error instanceof Error && 'code' in error && /^(22|23|54)/.test(String(error.code));
}

/** Whether Postgres itself answered so, and not its driver or the network. */
export function isPostgresSaying(error: unknown): error is DataError {
  return error instanceof pg.DatabaseError && error.code !== undefined;
}

export function reasonOf({ message, code }: DataError): string {
  return `${message} (SQLSTATE ${code})`;
}
