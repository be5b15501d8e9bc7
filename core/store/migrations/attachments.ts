/** What a job brings along that nothing else keeps, and how it was asked to run and to end. */
export const attachments = `
  CREATE TABLE job_attachments (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('flow', 'rows')),
    content TEXT NOT NULL,
    PRIMARY KEY (job, kind)
  ){strict};

  ALTER TABLE jobs ADD COLUMN overrides TEXT;
  ALTER TABLE jobs ADD COLUMN kill_at {integer};
`
