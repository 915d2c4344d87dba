import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const docs = join(import.meta.dirname, '..', 'docs');

/** The middle one of an odd number of measurements. */
export function middle(values: number[]): number {
  return Math.round(middleOf(values));
}

/** For what takes seconds: within some of them a machine's speed may change by a third. */
export const manyRounds = 9;

/** The middle one of what each round says of the one to the other, as both were measured within the same seconds. */
export function middleRatio(some: number[], others: number[]): string {
  return middleOf(some.map((value, round) => value / (others[round] ?? 0))).toFixed(2);
}

function middleOf(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Prints what a part measured, and writes it into docs/performance.md between the part's marks. */
export function report(part: string, rows: object[]): void {
  console.log(`\n(${part})`);
  console.table(rows);
  const columns = Object.keys(rows[0] ?? {});
  const words = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const line = (cells: unknown[]) => `| ${cells.join(' | ')} |`;
  const table = [
    line(columns.map(words)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => (row as Record<string, unknown>)[column]))),
  ].join('\n');
  const path = join(docs, 'performance.md');
  const text = readFileSync(path, 'utf8');
  const [begin, end] = [`<!-- bench:${part} -->`, `<!-- /bench:${part} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < 0)
    throw new Error(`docs/performance.md has no place for part ${part}: it lacks ${begin} or ${end}.`);
  writeFileSync(path, `${text.slice(0, from)}${begin}\n${table}\n${text.slice(to)}`);
}

/** Writes bars with their values as an SVG into docs/, with a line where the goal lies. */
export function plot(file: string, title: string, bars: { label: string; value: number }[], goal: number): void {
  const [width, height, left, floor] = [120 * bars.length + 80, 260, 50, 220];
  const most = Math.max(goal, ...bars.map(({ value }) => value)) * 1.1;
  const y = (value: number) => Math.round(floor - (value / most) * (floor - 40));
  const text = (x: number, at: number, what: string) => `<text x="${x}" y="${at}" text-anchor="middle">${what}</text>`;
  const drawn = bars.map(({ label, value }, index) => {
    const x = left + 20 + index * 120;
    const bar = `<rect x="${x}" y="${y(value)}" width="80" height="${floor - y(value)}" fill="#4a7ba6"/>`;
    return `${bar}${text(x + 40, y(value) - 6, String(value))}${text(x + 40, floor + 18, label)}`;
  });
  const line = `<line x1="${left}" x2="${width - 20}" y1="${y(goal)}" y2="${y(goal)}" stroke="#b04a3a" stroke-dasharray="6 4"/>`;
  writeFileSync(
    join(docs, file),
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13"><title>${title}</title>` +
      `<rect width="100%" height="100%" fill="white"/>${text(width / 2, 20, title)}${drawn.join('')}${line}` +
      `<line x1="${left}" x2="${width - 20}" y1="${floor}" y2="${floor}" stroke="black"/></svg>\n`,
  );
}
