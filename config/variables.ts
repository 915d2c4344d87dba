/** Every environment variable that Daybook reads, with one sentence and its default: the configuration contract. */
export const variables = {
  DATABASE_URL: {
    meaning: 'Postgres 15 or newer, as a postgres:// address; without it an embedded Postgres is started.',
  },
  TEMPORAL_ADDRESS: { meaning: 'Temporal server, host:port; without it an embedded one is started.' },
  TEMPORAL_NAMESPACE: { meaning: 'Temporal namespace.', default: 'default' },
  TEMPORAL_API_KEY: { meaning: 'API key for Temporal Cloud; switches TLS on.' },
  TEMPORAL_TLS: { meaning: 'true to speak TLS to the Temporal server.' },
  TEMPORAL_TLS_CLIENT_CERT_PATH: { meaning: 'Client certificate for mutual TLS with Temporal (a file).' },
  TEMPORAL_TLS_CLIENT_KEY_PATH: { meaning: 'Key of that client certificate (a file).' },
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: { meaning: 'Certificate authority of the Temporal server (a file).' },
  TEMPORAL_TLS_SERVER_NAME: { meaning: 'Name expected in the Temporal server’s certificate.' },
  TEMPORAL_PROFILE: { meaning: 'Profile of temporal.toml to connect with.' },
  TEMPORAL_CONFIG_FILE: { meaning: 'Where temporal.toml is, when not in its usual place.' },
  TEMPORAL_TASK_QUEUE: { meaning: 'Task queue of the imports.', default: 'xero-imports' },
  XERO_CLIENT_ID: { meaning: 'Client id of your Xero app; without it the local sandbox stands in for Xero.' },
  XERO_CLIENT_SECRET: { meaning: 'Client secret of your Xero app.' },
  XERO_REDIRECT_URI: {
    meaning:
      'Where Xero sends the admin back to; must be registered in the Xero app. Without it /oauth/callback of the connect page.',
    default: 'http://localhost:8088/oauth/callback',
  },
  XERO_SCOPES: {
    meaning: 'Scopes asked for at consent, separated by spaces.',
    default:
      'offline_access accounting.journals.read accounting.invoices.read accounting.settings.read accounting.contacts.read accounting.reports.trialbalance.read',
  },
  XERO_API_URL: { meaning: 'Host of Xero’s API.', default: 'https://api.xero.com' },
  XERO_IDENTITY_URL: { meaning: 'Host of Xero’s token endpoint.', default: 'https://identity.xero.com' },
  XERO_LOGIN_URL: { meaning: 'Host of Xero’s consent page.', default: 'https://login.xero.com' },
  XERO_ALLOW_HTTP: {
    meaning:
      'true lets the three hosts of Xero be http:// elsewhere than on this machine, for a simulator of Xero in a private network; tokens then travel readable. Never for Xero’s own hosts.',
    default: 'false',
  },
  DAYBOOK_DATA_DIR: { meaning: 'Folder of the embedded servers’ data and keys.', default: '.daybook' },
  DAYBOOK_TOKEN_KEYS: {
    meaning:
      'Keys that seal the tokens, kid:base64 (32 bytes) separated by commas; the first seals, all open. Made once into the data folder for the embedded Postgres, required otherwise.',
  },
  DAYBOOK_WEB_PORT: {
    meaning:
      'Port of the connect page, to which Xero sends the admin back too, unless XERO_REDIRECT_URI says otherwise.',
    default: '8088',
  },
  DAYBOOK_WEB_HOST: {
    meaning:
      'Where the connect page listens; anywhere but this machine asks for DAYBOOK_WEB_PASSWORD and DAYBOOK_WEB_ORIGIN.',
    default: 'localhost',
  },
  DAYBOOK_WEB_ORIGIN: {
    meaning: 'Where browsers find the connect page when a proxy stands before it, such as https://daybook.example.com.',
  },
  DAYBOOK_WEB_PASSWORD: {
    meaning: 'Password of the connect page, 12 characters or more; without it only one-time links open it.',
  },
  DAYBOOK_METRICS_ADDRESS: {
    meaning:
      'Where a worker shows its metrics to Prometheus at /metrics, IP:port, such as 127.0.0.1:9464; without it nowhere.',
  },
  DAYBOOK_LOG_LEVEL: { meaning: 'trace, debug, info, warn, error or silent.', default: 'info' },
} as const satisfies Record<string, { meaning: string; default?: string }>;
