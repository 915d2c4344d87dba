/** A name as one word of a command that people paste into a shell: an application's may have spaces. */
export function shellWord(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}
