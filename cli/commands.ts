import type { Command } from 'commander';

type AddTo = (program: Command) => void;

/** Every command, in the order of the help: the words it begins with, and where it is. */
const commands: readonly [words: readonly string[], load: () => Promise<AddTo>][] = [
  [['up'], async () => (await import('./up.ts')).addUpCommand],
  [['demo'], async () => (await import('./demo.ts')).addDemoCommand],
  [['migrate'], async () => (await import('./migrate.ts')).addMigrateCommand],
  [['worker'], async () => (await import('./worker.ts')).addWorkerCommand],
  [['connect'], async () => (await import('./connect.ts')).addConnectCommand],
  [['connections'], async () => (await import('./connections.ts')).addConnectionCommands],
  [['web', 'web-link'], async () => (await import('./web.ts')).addWebCommands],
  [['audit'], async () => (await import('./audit.ts')).addAuditCommand],
  [['keys'], async () => (await import('./keys.ts')).addKeyCommands],
  [['doctor'], async () => (await import('./doctor.ts')).addDoctorCommand],
  [['applications'], async () => (await import('./applications.ts')).addApplicationCommands],
  [['plan'], async () => (await import('./plan.ts')).addPlanCommand],
  [['import', 'pause', 'resume', 'cancel'], async () => (await import('./imports.ts')).addImportCommands],
  [['status'], async () => (await import('./status.ts')).addStatusCommand],
  [['backfill'], async () => (await import('./backfill.ts')).addBackfillCommand],
  [['schedule'], async () => (await import('./schedules.ts')).addScheduleCommands],
  [['export'], async () => (await import('./export.ts')).addExportCommands],
  [['rebuild'], async () => (await import('./rebuild.ts')).addRebuildCommand],
  [['reconcile'], async () => (await import('./reconcile.ts')).addReconcileCommand],
];

/**
 * Adds the command that `word` asks for, or all of them where it is none (the help, or a slip). What the others need
 * is not loaded: that would be most of the time in which a command starts.
 */
export async function addCommands(program: Command, word: string | undefined): Promise<void> {
  const asked = commands.filter(([words]) => word !== undefined && words.includes(word));
  const adding = await Promise.all((asked.length > 0 ? asked : commands).map(([, load]) => load()));
  for (const addTo of adding) addTo(program);
}
