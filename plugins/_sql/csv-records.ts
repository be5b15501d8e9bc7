/**
 * Wire encoding of frames: records as the CSV output writes them by default, so that a server's own CSV can go into a
 * file unread. They are RFC 4180 with line feeds, in UTF-8, without a header. NULL is an empty field and the empty text
 * is `""`. A field has quotes when it holds a comma, a quote, a line feed or a carriage return, when it is the empty text,
 * or when it begins with U+FEFF, which a reader would take for a byte order mark; no other field has.
 *
 * Values are their canonical text (see `LogicalType` in the contract), byte for byte.
 */
export const CSV_RECORDS = "csv"
