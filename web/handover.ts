/** What the seal of a callback belongs to, which the connect page hands to a terminal. */
export function handoverBinding(stateHash: Buffer): string[] {
  return ['callback for a terminal', stateHash.toString('hex')];
}
