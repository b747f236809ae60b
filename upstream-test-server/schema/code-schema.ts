// Authorization codes: whose, for which client, since when. `code` is the SHA-256 of the value; times are epoch milliseconds.

export const codeSchema = `
  CREATE TABLE codes (
    code TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    grant_id TEXT,
    consumed_at INTEGER,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX codes_by_grant ON codes (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX codes_by_expiry ON codes (expires_at);
`
