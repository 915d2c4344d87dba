import type { ScheduledImport } from '../../client/schedules.ts';
import { mayNotUse } from '../../model/refused-use.ts';
import { shellWord } from '../../model/shell-word.ts';
import type { Connection } from '../../storage/connections.ts';

/** Why what a Schedule starts is refused each time, by the registry as it is now; null when it is not. */
export function refusedEachTime(
  { scheduleId, connection, application }: ScheduledImport,
  registry: readonly Connection[],
): string | null {
  // What a request lacks or has wrong is told by its run.
  if (connection === null || application === null) return null;
  const found = registry.find(({ name }) => name === connection);
  const remedy = `\`daybook schedule delete ${shellWord(scheduleId)}\``;
  const starts = `What the Schedule "${scheduleId}" starts fails each time:`;
  if (found === undefined) return `${starts} there is no connection "${connection}". Delete it: ${remedy}.`;
  if (found.applications.includes(application)) return null;
  return `${starts} ${mayNotUse(application, connection).replace(/^The/, 'the')} Or delete it: ${remedy}.`;
}
