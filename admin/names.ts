import { ActRefused } from './refused.ts';

/** Names that the database takes: they end up in schemas, roles and addresses. @throws ActRefused naming each that is not. */
export function requireGoodNames({ name, applications }: { name?: string; applications: string[] }): void {
  const problems = [];
  if (name !== undefined && !/^[a-z0-9][a-z0-9_-]{0,56}$/.test(name)) {
    problems.push(
      `The name "${name}" must begin with a small letter or digit and have only a-z, 0-9, - and _ (57 at most): it also names a schema.`,
    );
  }
  for (const application of applications) {
    if (!/^[A-Za-z0-9][A-Za-z0-9 _-]{0,62}$/.test(application)) {
      problems.push(`The application "${application}" must have only letters, digits, spaces, - and _ (63 at most).`);
    }
  }
  if (problems.length > 0) throw new ActRefused(problems.join('\n'));
}

/** Letters that do not come apart into a plain one and an accent. */
const plainLetters: Record<string, string> = {
  ø: 'o',
  æ: 'ae',
  œ: 'oe',
  ß: 'ss',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
};

/** A name that an organisation's own suggests: "Maple & Finch Ltd" becomes "maple-finch-ltd"; never one of those taken. */
export function suggestName(organisation: string, taken: readonly string[]): string {
  const plain = organisation
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[øæœßđðþłı]/g, (letter) => plainLetters[letter] ?? letter)
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, '');
  const base = plain === '' ? 'organisation' : plain;
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (!taken.includes(name)) return name;
  }
}
