/** What the server remembers beside runs. */
export const server = `
  CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'developer', 'operator', 'viewer')),
    disabled {boolean} NOT NULL,
    version {integer} NOT NULL,
    created_at {integer} NOT NULL,
    updated_at {integer} NOT NULL,
    last_login_at {integer}
  ){strict};

  CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    "user" TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    created_at {integer} NOT NULL,
    seen_at {integer} NOT NULL,
    expires_at {integer} NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
  ){lean};
  CREATE INDEX sessions_by_user ON sessions ("user");

  CREATE TABLE invitations (
    hash TEXT PRIMARY KEY,
    "user" TEXT REFERENCES users (id) ON DELETE CASCADE,
    created_at {integer} NOT NULL,
    expires_at {integer} NOT NULL
  ){lean};
  CREATE INDEX invitations_by_user ON invitations ("user");

  CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    "user" TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at {integer} NOT NULL,
    expires_at {integer},
    last_used_at {integer},
    revoked_at {integer}
  ){strict};
  CREATE INDEX api_tokens_by_user ON api_tokens ("user");

  CREATE TABLE flows (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    folder TEXT NOT NULL,
    description TEXT NOT NULL,
    hash TEXT NOT NULL,
    properties TEXT NOT NULL,
    owner TEXT NOT NULL,
    version {integer} NOT NULL,
    created_at {integer} NOT NULL,
    updated_at {integer} NOT NULL,
    updated_by TEXT NOT NULL,
    document TEXT NOT NULL
  ){strict};
  {flowsByText}

  CREATE TABLE flow_versions (
    flow TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    version {integer} NOT NULL,
    properties TEXT NOT NULL,
    remark TEXT NOT NULL,
    author TEXT NOT NULL,
    at {integer} NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (flow, version)
  ){strict};

  CREATE TABLE flow_uses (
    flow TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    data_source TEXT NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('read', 'write')),
    PRIMARY KEY (flow, data_source, access)
  ){lean};
  CREATE INDEX flow_uses_by_source ON flow_uses (data_source);

  CREATE TABLE data_sources (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    description TEXT NOT NULL,
    settings TEXT NOT NULL,
    concurrency {integer},
    owner TEXT NOT NULL,
    version {integer} NOT NULL,
    created_at {integer} NOT NULL,
    updated_at {integer} NOT NULL,
    updated_by TEXT NOT NULL
  ){strict};

  CREATE TABLE grants (
    data_source TEXT NOT NULL REFERENCES data_sources (id) ON DELETE CASCADE,
    "user" TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    access TEXT NOT NULL CHECK (access IN ('read', 'write')),
    granted_by TEXT NOT NULL,
    created_at {integer} NOT NULL,
    expires_at {integer},
    PRIMARY KEY (data_source, "user", access)
  ){lean};
  CREATE INDEX grants_by_user ON grants ("user");

  CREATE TABLE audit_log (
    id TEXT PRIMARY KEY,
    at {integer} NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT
  ){strict};
  CREATE INDEX audit_log_by_subject ON audit_log (subject_kind, subject_id, id);
  CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id);
  CREATE INDEX audit_log_by_action ON audit_log (action, id);

  CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at {integer} NOT NULL
  ){lean};

  CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid {integer} NOT NULL,
    process TEXT,
    started_at {integer} NOT NULL,
    seen_at {integer} NOT NULL
  ){lean};

  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    flow TEXT NOT NULL,
    flow_name TEXT NOT NULL,
    flow_version {integer} NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('prod', 'dev')),
    data_sources TEXT NOT NULL,
    cause TEXT NOT NULL,
    account TEXT NOT NULL,
    parameters TEXT NOT NULL,
    bizdate TEXT NOT NULL,
    scheduled_at TEXT NOT NULL,
    priority {integer} NOT NULL,
    status TEXT NOT NULL
      CHECK (status IN ('queued', 'running', 'interrupted', 'succeeded', 'failed', 'cancelled', 'skipped')),
    cancelled_by TEXT,
    start TEXT NOT NULL,
    retry {integer} NOT NULL,
    timeout_ms {integer},
    server TEXT,
    idempotency_key TEXT,
    request_hash TEXT,
    requested_at {integer} NOT NULL,
    due_at {integer} NOT NULL,
    started_at {integer},
    ended_at {integer},
    written {integer},
    rejected {integer},
    message TEXT
  ){strict};
  CREATE INDEX jobs_by_flow ON jobs (flow, id);
  CREATE INDEX jobs_by_status ON jobs (status, id);
  CREATE INDEX jobs_due ON jobs (priority, due_at, id) WHERE status = 'queued';
  CREATE UNIQUE INDEX jobs_by_key ON jobs (flow, idempotency_key) WHERE idempotency_key IS NOT NULL;

  CREATE TABLE job_logs (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    line {integer} NOT NULL,
    at {integer} NOT NULL,
    level TEXT NOT NULL,
    step TEXT,
    text TEXT NOT NULL,
    PRIMARY KEY (job, line)
  ){lean};

  CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    flow TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    recurrence TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('normal', 'dry-run', 'skip')),
    missed TEXT NOT NULL CHECK (missed IN ('skip', 'once', 'all')),
    effective_from TEXT,
    effective_to TEXT,
    parameters TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('prod', 'dev')),
    paused {boolean} NOT NULL,
    next_at {integer},
    last_at {integer},
    message TEXT,
    owner TEXT NOT NULL,
    version {integer} NOT NULL,
    created_at {integer} NOT NULL,
    updated_at {integer} NOT NULL,
    UNIQUE (flow, name)
  ){strict};
  CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;

  CREATE TABLE triggers (
    id TEXT PRIMARY KEY,
    flow TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    signing_secret TEXT,
    replay_window_ms {integer} NOT NULL,
    requests_per_minute {integer} NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('prod', 'dev')),
    owner TEXT NOT NULL,
    created_at {integer} NOT NULL,
    last_used_at {integer},
    revoked_at {integer}
  ){strict};
  CREATE INDEX triggers_by_flow ON triggers (flow);

  CREATE TABLE used_signatures (
    "trigger" TEXT NOT NULL REFERENCES triggers (id) ON DELETE CASCADE,
    signature TEXT NOT NULL,
    expires_at {integer} NOT NULL,
    PRIMARY KEY ("trigger", signature)
  ){lean};
  CREATE INDEX used_signatures_by_end ON used_signatures (expires_at);

  CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    flow TEXT REFERENCES flows (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    events TEXT NOT NULL,
    paused {boolean} NOT NULL,
    owner TEXT NOT NULL,
    version {integer} NOT NULL,
    created_at {integer} NOT NULL,
    updated_at {integer} NOT NULL
  ){strict};

  CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    job TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempts {integer} NOT NULL,
    due_at {integer} NOT NULL,
    created_at {integer} NOT NULL,
    ended_at {integer},
    answered {integer},
    message TEXT
  ){strict};
  CREATE INDEX deliveries_due ON deliveries (due_at) WHERE status = 'waiting';
  CREATE INDEX deliveries_by_webhook ON deliveries (webhook, id);
`
