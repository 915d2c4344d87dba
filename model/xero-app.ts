/** The Xero app and the hosts it is spoken to at. Addresses end without a slash. */
export interface XeroApp {
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  scopes: string[];
  apiUrl: string;
  identityUrl: string;
  loginUrl: string;
  /** Whether these hosts may be spoken to without TLS, elsewhere than on this machine too; never Xero's own. */
  allowHttp?: boolean | undefined;
}
