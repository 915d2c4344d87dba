import { type Command, InvalidArgumentError } from 'commander';

/** Refuses an option that is given twice, here and in the commands below; commander would silently take the last. One that collects may be. */
export function refuseTwice(command: Command): void {
  for (const option of command.options) {
    if (!option.required || Array.isArray(option.defaultValue)) continue;
    const read = option.parseArg;
    let isSaid = false;
    option.argParser((text: string, previous: unknown) => {
      if (isSaid) throw new InvalidArgumentError('It is given twice; give it once.');
      isSaid = true;
      return read === undefined ? text : read(text, previous);
    });
  }
  for (const below of command.commands) refuseTwice(below);
}
