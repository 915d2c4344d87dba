import type { Command } from 'commander';
import { requireConnection } from '../admin/registry.ts';
import { RequestRefused } from '../client/refused.ts';
import { checkExport, instantOf } from '../model/request.ts';
import { type ExportKind, exportTo } from '../storage/export.ts';
import { asTyped } from './as-typed.ts';
import { counted } from './counted.ts';
import { refusals } from './imports.ts';
import { tell } from './output.ts';
import { refuseTwice } from './said-once.ts';
import { withDatabase } from './servers.ts';
import { whyNotThere, writeWhole } from './whole-file.ts';

interface ExportOptions {
  connection: string;
  application?: string;
  modifiedSince?: string;
  basis?: string;
  out?: string;
}

export function addExportCommands(program: Command): void {
  const exporting = program.command('export').description('write what was imported as CSV');
  for (const [kind, what, modified] of [
    ['general-ledger', 'the general ledger, a row for each journal line', 'created'],
    ['invoices', 'invoices, a row for each line item', 'updated'],
  ] as const) {
    const command = exporting
      .command(kind)
      .description(`write ${what}, with a key (line_key) by which a second load doubles nothing`)
      .requiredOption('--connection <name>', 'the organisation’s connection')
      .option('--application <name>', 'for whom; must be on the connection’s list')
      .option('--modified-since <date>', `${modified} on or after: 2026-07-01 (midnight UTC) or 2026-07-01T09:30:00Z`)
      .option('--out <file>', 'write this file, in place of one that is there; without, to standard output');
    if (kind === 'general-ledger') command.option('--basis <basis>', 'accrual (the ledger) or cash');
    command.action((options: ExportOptions) => write(kind, options));
  }
  refuseTwice(exporting);
}

async function write(kind: ExportKind, { out, ...asked }: ExportOptions): Promise<void> {
  const checked = checkExport(asked);
  const wrongPlace = out === undefined ? null : whyNotThere(out);
  const problems = [
    ...(checked.ok ? [] : asTyped(checked.problems)),
    ...(await refusals(asked.connection, asked.application)),
    ...(wrongPlace === null ? [] : [wrongPlace]),
  ];
  if (!checked.ok || problems.length > 0) throw new RequestRefused(problems);
  const { connection: name, modifiedSince, basis = 'accrual' } = checked.request;
  await withDatabase(async (pool) => {
    const connection = await requireConnection(pool, name);
    const since = modifiedSince === undefined ? null : new Date(instantOf(modifiedSince) ?? 0);
    const filter = { tenantId: connection.tenantId, basis, modifiedSince: since };
    const rows =
      out === undefined
        ? await exportTo(pool, kind, filter, process.stdout, { end: false })
        : await untilInterrupted((signal) => writeWhole(out, (into) => exportTo(pool, kind, filter, into, { signal })));
    if (rows === null) return;
    const are = rows === 1 ? 'is' : 'are';
    tell(`${counted(rows, 'rows')} of "${name}" ${are} in ${out ?? 'standard output'}.`);
  });
}

/** Ctrl-C and termination end the work in order, so that it can tidy up. */
async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const asked = new AbortController();
  const stop = () => asked.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(asked.signal);
  } catch (error) {
    if (!asked.signal.aborted) throw error;
    tell('Interrupted; no file was written.');
    process.exitCode = 130;
    return null;
  } finally {
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}
