import { inject } from 'vitest';
import type { Provided } from './global-setup.ts';

/** The address the stand provides, or the reason why it could not start the server, thrown. */
export function provided(name: 'postgres' | 'temporal' | 'temporalExecutable'): string {
  const value: Provided = inject(name);
  if ('missing' in value) throw new Error(`The test stand has no ${name}: ${value.missing}`);
  return value.address;
}
