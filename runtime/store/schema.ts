/** Forward only: a step is never changed once it is released. Number n makes version n of the file. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    flow TEXT,
    replay_of INTEGER REFERENCES runs (key) ON DELETE CASCADE,
    fence INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled')),
    discarded INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0,
    -- 1: an output shows nothing before the run has ended.
    staged INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    process TEXT,
    host TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    attempt_at INTEGER NOT NULL,
    ended_at INTEGER,
    written INTEGER,
    rejected INTEGER,
    bizdate TEXT NOT NULL,
    scheduled_at TEXT NOT NULL,
    base TEXT NOT NULL,
    path TEXT,
    hash TEXT NOT NULL,
    overrides TEXT NOT NULL,
    parameters TEXT NOT NULL,
    -- Large ones last: whoever lists runs does not read them.
    steps TEXT NOT NULL,
    sources TEXT NOT NULL,
    document TEXT NOT NULL,
    report TEXT
  ) STRICT;
  CREATE INDEX runs_by_flow ON runs (flow, key);
  CREATE INDEX runs_by_time ON runs (attempt_at);
  CREATE INDEX runs_by_origin ON runs (replay_of) WHERE replay_of IS NOT NULL;

  CREATE TABLE inputs (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    step TEXT NOT NULL,
    columns TEXT NOT NULL,
    splits TEXT NOT NULL,
    one_snapshot INTEGER NOT NULL,
    mark TEXT,
    PRIMARY KEY (run, step)
  ) STRICT;

  CREATE TABLE splits (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    split TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    written INTEGER,
    receipt TEXT,
    PRIMARY KEY (run, split)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE rejections (
    -- Never used again: a file that somebody edits names it.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    step TEXT NOT NULL,
    split TEXT NOT NULL,
    row INTEGER NOT NULL,
    position TEXT,
    column_name TEXT,
    has_value INTEGER NOT NULL,
    value TEXT,
    reason TEXT NOT NULL,
    -- The reason without the row's own value; NULL: the same.
    kind TEXT,
    code TEXT,
    record TEXT,
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'replayed', 'dropped')),
    replay INTEGER REFERENCES runs (key),
    mended TEXT
  ) STRICT;
  CREATE INDEX rejections_by_split ON rejections (run, split);
  CREATE INDEX rejections_by_replay ON rejections (replay, id) WHERE replay IS NOT NULL;

  CREATE TABLE marks (
    flow TEXT NOT NULL,
    step TEXT NOT NULL,
    source TEXT NOT NULL,
    mark TEXT NOT NULL,
    run TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (flow, step, source)
  ) STRICT, WITHOUT ROWID;
  `,
]
