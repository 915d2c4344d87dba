import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NotJson } from '../../xero/json-bytes.ts';
import { skimPage } from '../../xero/skim.ts';

const skim = (text: string) => skimPage(Buffer.from(text), 'Rows', 'Id');

/** What skimPage stands for. */
function parsed(text: string) {
  const answer = JSON.parse(text) as { Rows?: unknown; pagination?: unknown } | null;
  const rows = answer?.Rows;
  if (!Array.isArray(rows)) return null;
  const idOf = (row: unknown) =>
    typeof row === 'object' && row !== null && !Array.isArray(row) ? (row as { Id?: unknown }).Id : undefined;
  return { rows: rows.map(idOf), pagination: answer?.pagination };
}

const outcome = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotJson || error instanceof SyntaxError) return 'not JSON';
    throw error;
  }
};

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, -0, 1e300, 5e-7, 'Rows', '"', '\\', '\u0000\ud83d\ude00é\ud800'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.constantFrom('Id', 'Rows', 'pagination', 'I\u0064"'), fc.string()), tie('value'), {
      maxKeys: 5,
    }),
  ),
}));
const page = fc.record(
  {
    Rows: fc.oneof(value, fc.array(fc.oneof(value, fc.record({ Id: value, Lines: value })))),
    pagination: value,
    Other: value,
  },
  { requiredKeys: [] },
);

test('it finds what JSON.parse finds', () => {
  fc.assert(
    fc.property(fc.oneof(page, value), fc.constantFrom(undefined, 1, '\r\n\t '), (answer, space) => {
      const text = JSON.stringify(answer, null, space);
      expect(skim(text)).toEqual(parsed(text));
    }),
    { numRuns: 2_000 },
  );
});

test('it refuses what JSON.parse refuses, and nothing else', () => {
  const bits = fc.constantFrom(
    ...'{}[]",:\\/ \n\t-+.eE0129aftn\u0001é',
    'true',
    'null',
    '\\u00e9',
    '\\u12',
    '"Id"',
    '"Rows":',
  );
  const damaged = fc
    .record({ answer: page, at: fc.nat(), cut: fc.nat({ max: 6 }), put: fc.array(bits, { maxLength: 3 }) })
    .map(({ answer, at, cut, put }) => {
      const text = JSON.stringify(answer);
      const place = at % (text.length + 1);
      // Halves of a character do not come over the wire.
      return Buffer.from(text.slice(0, place) + put.join('') + text.slice(place + cut)).toString();
    });
  const broken: string[] = [];
  fc.assert(
    fc.property(
      fc.oneof(
        damaged,
        fc.array(bits, { maxLength: 12 }).map((some) => some.join('')),
      ),
      (text) => {
        const expected = outcome(() => parsed(text));
        if (expected === 'not JSON') broken.push(text);
        expect(outcome(() => skim(text))).toEqual(expected);
      },
    ),
    { numRuns: 10_000 },
  );
  expect(broken.length, 'texts that are not JSON').toBeGreaterThan(1_000);
});

test('names written with escapes, and names that come twice', () => {
  for (const text of [
    '{"\\u0052ows":[{"I\\u0064":7},{"Id":1,"Id":2},{"Id\\"":3}],"pagination":{"page":1},"pagination":{"page":2}}',
    '{"Rows":[{"Id":1}],"Rows":[{"Id":2}]}',
    '{"Rows":[{"Id":1}],"Rows":7}',
    '{"Rows":{"Id":1}}',
    '[{"Rows":[{"Id":1}]}]',
  ]) {
    expect(skim(text)).toEqual(parsed(text));
  }
});

test('what lies too deep is refused before the stack is full', () => {
  const deep = (depth: number) => `{"Rows":[{"Id":${'['.repeat(depth)}${']'.repeat(depth)}}]}`;
  expect(skim(deep(100))?.rows).toHaveLength(1);
  expect(outcome(() => skim(deep(1_000_000)))).toBe('not JSON');
});
