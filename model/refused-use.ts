import { shellWord } from './shell-word.ts';
import { type Stream, streams } from './streams.ts';

// What a person is told whose request names what it may not use: the same by the workflow, the command and the connect page.

/** `known` are those that the application may use, where they are at hand. */
export function noSuchConnection(name: string, known?: readonly string[]): string {
  const list =
    known === undefined
      ? ''
      : ` (this application may use: ${known.map((other) => `"${other}"`).join(', ') || 'none'})`;
  return `There is no connection "${name}"${list}. \`daybook connections list\` shows those there are, and an admin sets one up with \`daybook connect\`.`;
}

export function mayNotUse(application: string, connection: string): string {
  return (
    `The application "${application}" may not use the connection "${connection}". ` +
    `An admin allows it with \`daybook connections allow ${connection} --application ${shellWord(application)}\`.`
  );
}

/** Each run of a cron workflow has the id of the first, by which Postgres knows an import, and would be taken for it. */
export const noCron =
  'A workflow with a cron schedule cannot import or reconcile. Use a Schedule, whose runs are each a workflow of their own: `daybook schedule create`, or `temporal schedule create`.';

/** `holder` is the run that has the stream. */
export function importedAlready(
  stream: Stream,
  connection: string,
  { workflowId, application }: { workflowId: string; application: string },
): string {
  return (
    `The ${streams[stream].name} of "${connection}" are being imported already, by workflow "${workflowId}" ` +
    `for application "${application}". Wait for it, or cancel it with \`daybook cancel ${shellWord(workflowId)}\`.`
  );
}
