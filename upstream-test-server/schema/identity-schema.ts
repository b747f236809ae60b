// Accounts and where they belong. A person's name and password hash stay in `users`: an account refers to its person by `sub`,
// and goes with them. Times are epoch milliseconds; tokens and e-mail addresses that were tried stand here as SHA-256 only.

export const identitySchema = `
  CREATE TABLE account (
    id TEXT PRIMARY KEY,
    sub TEXT NOT NULL UNIQUE REFERENCES users (sub) ON DELETE CASCADE,
    email TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL DEFAULT 'CUSTOMER' CHECK (kind IN ('CUSTOMER', 'SYSTEM')),
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'LOCKED', 'DISABLED')),
    last_login_at INTEGER
  ) STRICT;
  CREATE TABLE credential (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    credential_type TEXT NOT NULL CHECK (credential_type IN ('PASSWORD')),
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED')),
    PRIMARY KEY (account_id, credential_type)
  ) STRICT;
  CREATE TABLE workspace (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED'))
  ) STRICT;
  CREATE TABLE workspace_member (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED')),
    UNIQUE (account_id, workspace_id)
  ) STRICT;
  CREATE TABLE branch (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED'))
  ) STRICT;
  CREATE TABLE branch_member (
    id TEXT PRIMARY KEY,
    branch_id TEXT NOT NULL REFERENCES branch (id) ON DELETE CASCADE,
    member_id TEXT NOT NULL REFERENCES workspace_member (id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED')),
    UNIQUE (member_id, branch_id)
  ) STRICT;
  CREATE TABLE role (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE member_role (
    member_id TEXT NOT NULL REFERENCES workspace_member (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    PRIMARY KEY (member_id, role_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE branch_member_role (
    branch_member_id TEXT NOT NULL REFERENCES branch_member (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    PRIMARY KEY (branch_member_id, role_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE auth_session (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    branch_id TEXT REFERENCES branch (id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'REVOKED')),
    jti TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX auth_session_by_account ON auth_session (account_id);
  CREATE INDEX auth_session_by_expiry ON auth_session (expires_at);
  CREATE TABLE refresh_token (
    hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES auth_session (id) ON DELETE CASCADE,
    used_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refresh_token_by_session ON refresh_token (session_id);
  CREATE TABLE login_failure (
    email_hash TEXT NOT NULL,
    address TEXT NOT NULL,
    failed_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX login_failure_by_key ON login_failure (email_hash, address, failed_at);
  CREATE INDEX login_failure_by_time ON login_failure (failed_at);
`
