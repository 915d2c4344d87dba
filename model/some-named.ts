/** Names in quotation marks; of more than `most` the rest is counted. */
export function someNamed(names: readonly string[], most: number): string {
  const named = names
    .slice(0, most)
    .map((each) => `"${each}"`)
    .join(', ');
  return names.length > most ? `${named} and ${names.length - most} more` : named;
}
