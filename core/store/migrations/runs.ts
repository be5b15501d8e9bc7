/** Runs of the engine, with their rejected rows. */
export const runs = `
  CREATE TABLE runs (
    key {serial},
    id TEXT NOT NULL UNIQUE,
    flow TEXT,
    replay_of {integer} REFERENCES runs (key) ON DELETE CASCADE,
    fence {integer} NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled')),
    discarded {boolean} NOT NULL DEFAULT {false},
    settled {boolean} NOT NULL DEFAULT {false},
    -- 1: an output shows nothing before the run has ended.
    staged {boolean} NOT NULL,
    pid {integer} NOT NULL,
    process TEXT,
    host TEXT NOT NULL,
    started_at {integer} NOT NULL,
    attempt_at {integer} NOT NULL,
    ended_at {integer},
    written {integer},
    rejected {integer},
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
  ){strict};
  CREATE INDEX runs_by_flow ON runs (flow, key);
  CREATE INDEX runs_by_time ON runs (attempt_at);
  CREATE INDEX runs_by_origin ON runs (replay_of) WHERE replay_of IS NOT NULL;

  CREATE TABLE inputs (
    run {integer} NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    step TEXT NOT NULL,
    columns TEXT NOT NULL,
    splits TEXT NOT NULL,
    one_snapshot {boolean} NOT NULL,
    mark TEXT,
    PRIMARY KEY (run, step)
  ){strict};

  CREATE TABLE splits (
    run {integer} NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    split TEXT NOT NULL,
    attempt {integer} NOT NULL,
    written {integer},
    receipt TEXT,
    PRIMARY KEY (run, split)
  ){lean};

  CREATE TABLE rejections (
    -- Never used again: a file that somebody edits names it.
    id {serial},
    run {integer} NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    step TEXT NOT NULL,
    split TEXT NOT NULL,
    row {integer} NOT NULL,
    position TEXT,
    column_name TEXT,
    has_value {boolean} NOT NULL,
    value TEXT,
    reason TEXT NOT NULL,
    -- The reason without the row's own value; NULL: the same.
    kind TEXT,
    code TEXT,
    record TEXT,
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'replayed', 'dropped')),
    replay {integer} REFERENCES runs (key),
    mended TEXT
  ){strict};
  CREATE INDEX rejections_by_split ON rejections (run, split);
  CREATE INDEX rejections_by_replay ON rejections (replay, id) WHERE replay IS NOT NULL;

  CREATE TABLE marks (
    flow TEXT NOT NULL,
    step TEXT NOT NULL,
    source TEXT NOT NULL,
    mark TEXT NOT NULL,
    run TEXT NOT NULL,
    at {integer} NOT NULL,
    PRIMARY KEY (flow, step, source)
  ){lean};
`
