import { shellWord } from '../model/shell-word.ts';
import { tell } from './output.ts';
import { withSchedules } from './servers.ts';

/** Temporal is asked beside what was done already, so nobody waits for it for long. */
const connectTimeout = '5s';

/**
 * The Schedules that fail from now on, as a connection was removed or applications were taken off, each in a sentence with its
 * remedy. That they cannot be looked at is said, too, and no failure.
 */
export function schedulesLeft(of: { connection?: string; applications?: string[] }): Promise<string[]> {
  if (of.applications?.length === 0) return Promise.resolve([]);
  return withSchedules((schedules) => schedules.startingFor(of), connectTimeout).then(
    (left) =>
      left.map(
        ({ scheduleId, what }) =>
          `The Schedule "${scheduleId}" (${what}) fails from now on. Delete it: \`daybook schedule delete ${shellWord(scheduleId)}\`.`,
      ),
    () => ['Temporal cannot be reached: Schedules that need this stay and fail; `daybook doctor` names them.'],
  );
}

/** The same, said on standard error. */
export async function tellSchedulesLeft(of: Parameters<typeof schedulesLeft>[0]): Promise<void> {
  for (const sentence of await schedulesLeft(of)) tell(`Note: ${sentence}`);
}
