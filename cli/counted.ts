/** A count and what is counted, which is given in the plural: "1 call", "2 calls". */
export function counted(count: number, plural: string, written = `${count}`): string {
  return `${written} ${count === 1 ? plural.replace(/s$/, '') : plural}`;
}
