/** Rows on their way into a replay. */
export const replays = `
  CREATE TABLE mended_rows (
    batch TEXT NOT NULL,
    id {integer} NOT NULL,
    record TEXT NOT NULL,
    at {integer} NOT NULL,
    PRIMARY KEY (batch, id)
  ){lean};
`
