import { expect, test } from 'vitest';
import { explain } from '../../cli/failure.ts';

test('an error without a stack, as those of Temporal’s native part are, is told by its message', () => {
  const error = Object.assign(new Error('Namespace "nope" was not found'), { stack: undefined });
  expect(explain(error)).toEqual({ text: 'Namespace "nope" was not found\n', exitCode: 1 });
});

test('a file that is wrong is for a person to mend, and so exit code 2; a disk that is full is a failure', () => {
  const refused = (code: string) => explain(Object.assign(new Error(code), { code, path: '/books', syscall: 'mkdir' }));
  expect(refused('EACCES')).toEqual({ text: '"/books" cannot be used: this account may not (EACCES).\n', exitCode: 2 });
  expect(refused('ENOTDIR').exitCode).toBe(2);
  expect(refused('ENOSPC').exitCode).toBe(1);
});
