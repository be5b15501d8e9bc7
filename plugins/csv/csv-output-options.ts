import type { ConfigSchema } from "../../core/contract/index.ts"
import { encodings } from "./csv-encoding.ts"
import { compressionOption, delimiterOption, quoteOption } from "./csv-input-options.ts"

export const csvOutputSchema: ConfigSchema = {
  type: "object",
  additionalProperties: false,
  required: ["path"],
  properties: {
    path: { type: "string", minLength: 1, description: "The file to write; folders are made." },
    partitioned: {
      type: "boolean",
      default: false,
      description: "Whether each split becomes a file of its own, `orders-00001.csv` and so on, instead of one file.",
    },
    header: { type: "boolean", default: true, description: "Whether the first record names the columns." },
    columns: {
      type: "array",
      minItems: 1,
      description: "The columns to write, in this order. Absent: all.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name"],
        properties: {
          name: { type: "string", minLength: 1, description: "The incoming column." },
          as: { type: "string", minLength: 1, description: "Its name in the header; absent: the same." },
        },
      },
    },
    delimiter: delimiterOption,
    quote: quoteOption,
    escape: {
      type: "string",
      description:
        "The character before a quote inside quotes, or before what is special where nothing is quoted. Absent: quotes are doubled.",
    },
    quoteAll: {
      type: "boolean",
      default: false,
      description: "Whether every value is quoted, not only those that need it; NULL never is.",
    },
    nullValue: {
      type: "string",
      default: "",
      description: 'What is written for NULL. The empty text is written as `""`.',
    },
    lineEnding: { enum: ["\n", "\r\n"], default: "\n", description: "What ends a record." },
    encoding: {
      enum: [...encodings],
      default: "utf-8",
      description: "Encoding of the file; a row with a character that it lacks is rejected.",
    },
    bom: {
      type: "boolean",
      default: false,
      description: "Whether the file begins with a byte order mark (UTF encodings).",
    },
    compression: compressionOption,
  },
}
