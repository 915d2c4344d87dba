import { condition } from '@temporalio/workflow';

/** What a later version of Daybook may have, and this one has not. */
export async function importBankTransactions(): Promise<void> {
  await condition(() => false);
}
