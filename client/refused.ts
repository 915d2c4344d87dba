/** A request that was refused before anything was started; `problems` names every one. */
export class RequestRefused extends Error {
  override name = 'RequestRefused';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** The same import runs already; nothing was started. */
export class RunningAlready extends RequestRefused {
  override name = 'RunningAlready';
  readonly workflowId: string;

  constructor(workflowId: string) {
    super([
      `This import is running already, as workflow "${workflowId}". Follow it with \`daybook status --follow ${workflowId}\`.`,
    ]);
    this.workflowId = workflowId;
  }
}
