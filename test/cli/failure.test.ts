import { expect, test } from 'vitest';
import { explain } from '../../cli/failure.ts';

test('an error without a stack, as those of Temporal’s native part are, is told by its message', () => {
  const error = Object.assign(new Error('Namespace "nope" was not found'), { stack: undefined });
  expect(explain(error)).toEqual({ text: 'Namespace "nope" was not found\n', exitCode: 1 });
});
