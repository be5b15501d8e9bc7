import type { ConfigSchema } from "../../core/contract/index.ts"
import { encodings } from "./csv-encoding.ts"

export const delimiterOption = {
  type: "string",
  minLength: 1,
  default: ",",
  description: "What separates fields: one character or several; `\\t` is a tab, `\\x01` a byte.",
}
export const quoteOption = {
  type: "string",
  default: '"',
  description: "The character around fields that hold delimiters or line breaks; empty: fields are never quoted.",
}
export const compressionOption = {
  enum: ["auto", "none", "gzip", "zstd"],
  default: "auto",
  description: "Compression of the file; auto goes by its name (.gz, .zst).",
}

export const csvInputSchema: ConfigSchema = {
  type: "object",
  additionalProperties: false,
  required: ["path"],
  properties: {
    path: {
      anyOf: [
        { type: "string", minLength: 1 },
        { type: "array", minItems: 1, items: { type: "string", minLength: 1 } },
      ],
      description: "The file, or a pattern with `*`, `?`, `[…]`, `{a,b}` and `**`, or a list of these.",
    },
    header: { type: "boolean", default: true, description: "Whether the first record names the columns." },
    columns: {
      type: "array",
      minItems: 1,
      description:
        "All columns with their types, such as `int64`, `decimal(12,2)`, `timestamp`. With a header they are found by name, else by position. Absent: the types are inferred.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name", "type"],
        properties: {
          name: { type: "string", minLength: 1, description: "The column's name." },
          type: { type: "string", description: "Its type." },
          nullable: {
            type: "boolean",
            default: true,
            description: "Whether it may be NULL; if not, such rows are rejected.",
          },
        },
      },
    },
    inferTypes: {
      type: "boolean",
      default: true,
      description: "Whether undeclared columns get types from the first rows; if not, all are text.",
    },
    sampleRows: {
      type: "integer",
      minimum: 1,
      default: 10_000,
      description: "Rows from which types are inferred, shared among the files.",
    },
    delimiter: delimiterOption,
    quote: quoteOption,
    escape: {
      type: "string",
      description:
        "The character before a quote inside quotes, and before a delimiter, quote or line break outside. Absent: quotes are doubled.",
    },
    encoding: {
      enum: ["auto", ...encodings],
      default: "utf-8",
      description: "Encoding of the file; auto goes by the byte order mark, without one it is utf-8.",
    },
    nullValues: {
      type: "array",
      items: { type: "string" },
      default: [""],
      description: "Fields that are NULL when they stand without quotes, such as `\\N` or NULL.",
    },
    quotedNulls: {
      type: "boolean",
      default: false,
      description: "Whether fields in quotes can be NULL as well.",
    },
    compression: compressionOption,
    raggedRows: {
      enum: ["reject", "pad", "fit"],
      default: "reject",
      description:
        "Rows with too few or too many fields: reject them, pad short ones with NULL, or fit both by padding and cutting; what was changed is counted.",
    },
    columnMismatch: {
      enum: ["error", "allow"],
      default: "error",
      description:
        "A file whose header lacks columns or has more of them: an error, or allowed, with NULL for the missing.",
    },
    comment: { type: "string", default: "", description: "Lines that start so are skipped; empty: none are." },
    skipRows: {
      type: "integer",
      minimum: 0,
      default: 0,
      description: "Lines to skip at the beginning of each file; quotes mean nothing in them.",
    },
    trim: { type: "boolean", default: false, description: "Whether blanks and tabs around fields are dropped." },
    maxFieldBytes: {
      type: "integer",
      minimum: 1,
      default: 16_777_216,
      description:
        "The largest field, as UTF-8; a larger one, such as behind a quote that is never closed, ends the run.",
    },
    maxRowBytes: {
      type: "integer",
      minimum: 1,
      default: 67_108_864,
      description: "The largest record, as UTF-8; a larger one ends the run.",
    },
  },
}
