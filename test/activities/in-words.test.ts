import { expect, test } from 'vitest';
import { failureOf, pauseAfter } from '../../activities/in-words.ts';

test('what lasts costs about a hundred attempts a day, and no pause is longer than a quarter of an hour, or than the trouble has lasted', () => {
  let lasted = 0;
  let attempts = 0;
  for (let attempt = 1; lasted < 86_400; attempt++, attempts++) {
    const pause = pauseAfter(attempt);
    expect(pause).toBeLessThanOrEqual(Math.min(900, lasted + 2));
    lasted += pause;
  }
  expect(attempts).toBeLessThan(110);
  expect(pauseAfter(5_000)).toBe(900);
});

test('a Postgres that is away is told in a sentence, with what its driver said behind it', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
  expect(failureOf(refused, 'acme')).toMatchObject({
    type: 'PostgresUnavailable',
    message: expect.stringMatching(/^Connection "acme": Postgres does not answer \(connect ECONNREFUSED/),
    cause: refused,
  });
});
