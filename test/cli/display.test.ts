import { expect, test, vi } from 'vitest';
import { type Display, displayOn } from '../../cli/display.ts';

test('elsewhere than in a terminal a sentence is said again only when it changes', () => {
  vi.useFakeTimers();
  try {
    const lines: string[] = [];
    const stream = { isTTY: false, write: (line: string) => lines.push(line.slice(10)) };
    const display = displayOn(stream as unknown as NodeJS.WriteStream, null);
    const show = (admitted: number, failures: number) => {
      const progress = { status: 'running', run: null, waitingFor: null, waitingUntil: null, totals: { admitted } };
      const trouble = failures === 0 ? null : { failures, message: 'Postgres went away' };
      vi.advanceTimersByTime(3_000);
      display.progress(progress as unknown as Parameters<Display['progress']>[0], trouble);
    };
    for (let looks = 0; looks < 20; looks += 1) show(100, 2);
    for (let looks = 0; looks < 20; looks += 1) show(100, 3);
    show(200, 0);
    expect(lines).toEqual([
      '100 rows · failed 2 times in a row, tried again: Postgres went away\n',
      '100 rows · failed 3 times in a row, tried again: Postgres went away\n',
      expect.stringMatching(/^200 rows · /),
    ]);
  } finally {
    vi.useRealTimers();
  }
});
