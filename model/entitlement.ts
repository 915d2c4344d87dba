/** Whether something can be imported through a connection, by Xero's tier, the scopes and the user's role. */
export interface Entitlement {
  what: 'journals' | 'invoices' | 'reference data';
  /** Null: it could not be tried. */
  works: boolean | null;
  /** In words, with what to do. */
  message: string;
}
