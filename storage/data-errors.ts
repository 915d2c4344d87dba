/** Class 22: the data cannot be what the column wants. Class 23: it breaks a constraint. 54000: one value is too large. */
export function isAboutData(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && /^(22|23|54)/.test(String(error.code));
}
