/**
 * Wire encoding of frames: rows as text in the little that PostgreSQL's COPY and MySQL's LOAD DATA read alike, so that
 * one's bytes can be given to the other unread.
 *
 * A row is its fields with a tab between each two, and a line feed at its end. Text is UTF-8. Inside a field a
 * backslash is written `\\`, a tab `\t`, a line feed `\n`; carriage return and backspace are either `\r` and `\b` or
 * themselves; every other character is itself. So a bare tab or line feed always ends a field or a row. NULL is `\N`.
 *
 * Values are written as their canonical text (see `LogicalType` in the contract), except:
 *
 * | type | text |
 * |---|---|
 * | boolean | `1`, `0` |
 * | bytes | two hex digits a byte, in either case, with nothing in front |
 * | timestamp with zone | the UTC wall clock: no `+00` |
 * | float32, float64 | any text that reads back the same, such as `1e+300` |
 */
export const TAB_SEPARATED = "tab-separated-text"
