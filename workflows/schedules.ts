import { defineSearchAttributeKey } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

/** Temporal writes the schedule's id on every workflow that a Schedule starts. */
const scheduledBy = defineSearchAttributeKey('TemporalScheduledById', 'KEYWORD');

export function wasStartedBySchedule(): boolean {
  return workflowInfo().typedSearchAttributes.get(scheduledBy) !== undefined;
}
