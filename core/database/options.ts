import type { ConfigSchema, Database, DataSource, WriteMode } from "../contract/index.ts"
import { type IncrementalOptions, incrementalOption } from "./incremental.ts"

/** Options of every derived input. */
export interface DatabaseInputOptions {
  readonly dataSource: DataSource
  readonly schema?: string
  readonly table?: string
  readonly query?: string
  readonly columns?: readonly string[]
  readonly where?: string
  readonly splitColumn?: string
  readonly splits?: number
  readonly incremental?: IncrementalOptions
  readonly [option: string]: unknown
}

/** Options of every derived output. */
export interface DatabaseOutputOptions {
  readonly dataSource: DataSource
  readonly schema?: string
  readonly table: string
  readonly mode: WriteMode | "replaceTable"
  readonly replaceBy: "swap" | "rewrite"
  readonly partition?: { readonly column: string; readonly value: string; readonly format: PartitionFormat }
  readonly checks: { readonly minRows: number; readonly maxShrinkPercent: number; readonly queries: readonly string[] }
  readonly ledger: "auto" | "required" | "off"
  readonly verify: "none" | "checksum"
  readonly keyColumns?: readonly string[]
  readonly mapping: "name" | "position" | readonly { readonly from: string; readonly to: string }[]
  readonly createTable: boolean
  readonly allowLossy: boolean | readonly string[]
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly timeoutMs?: number
  readonly [option: string]: unknown
}

export type PartitionFormat = "yyyyMMdd" | "yyyy-MM-dd" | "yyyy/MM/dd" | "yyyy.MM.dd"

/** What a database type says of itself, without its code. */
export type DatabaseText = Pick<Database, "id" | "title" | "description" | "inputOptions" | "outputOptions">

export function inputSchema(database: DatabaseText): ConfigSchema {
  return {
    type: "object",
    additionalProperties: false,
    required: ["dataSource"],
    oneOf: [{ required: ["table"] }, { required: ["query"] }],
    properties: {
      dataSource: dataSourceOption(database, "read from"),
      schema: { type: "string", description: "Schema of the table; by default the one that the connection starts in." },
      table: {
        type: "string",
        description:
          "Table to read, or several of the same structure: names and ranges separated by semicolons, such as `order_[001-100];order_x`.",
      },
      query: { type: "string", format: "sql", description: "A SELECT to read instead of a table." },
      columns: {
        type: "array",
        items: { type: "string" },
        minItems: 1,
        description: "Columns to read, in this order; by default all.",
      },
      where: {
        type: "string",
        format: "sql",
        description: "Condition that the database evaluates, without the word WHERE.",
      },
      splitColumn: {
        type: "string",
        description:
          "Column by which the rows are divided into splits that are read at the same time; an indexed one is best.",
      },
      splits: {
        type: "integer",
        minimum: 1,
        maximum: 10_000,
        description: "Number of splits; by default as many as are read at the same time.",
      },
      incremental: incrementalOption,
      ...database.inputOptions,
    },
  }
}

export function outputSchema(database: DatabaseText): ConfigSchema {
  return {
    type: "object",
    additionalProperties: false,
    required: ["dataSource", "table"],
    properties: {
      dataSource: dataSourceOption(database, "write to"),
      schema: { type: "string", description: "Schema of the table; by default the one that the connection starts in." },
      table: { type: "string", description: "Table to write." },
      mode: {
        type: "string",
        enum: ["append", "overwriteRows", "updateRows", "replaceTable"],
        default: "append",
        description:
          "What a row whose key exists does: `append` rejects it, `overwriteRows` deletes the old row and inserts the new one, `updateRows` updates the mapped columns. `replaceTable` loads all rows into a table beside the target, checks it and puts it in the target's place at once.",
      },
      replaceBy: {
        type: "string",
        enum: ["swap", "rewrite"],
        default: "swap",
        description:
          "How `replaceTable` replaces: `swap` exchanges the tables, which takes a moment whatever their size; `rewrite` deletes and inserts the rows in one transaction, which keeps the table itself with all that depends on it.",
      },
      partition: {
        type: "object",
        additionalProperties: false,
        required: ["column", "value"],
        description:
          'With `replaceTable`: replace only the rows of one date, such as `{ "column": "ds", "value": "${bizdate}" }`.',
        properties: {
          column: { type: "string", description: "Column that holds the date of the partition." },
          value: { type: "string", description: "The date, in any of the four formats." },
          format: {
            type: "string",
            enum: ["yyyyMMdd", "yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd"],
            default: "yyyyMMdd",
            description: "How a text column holds the date.",
          },
        },
      },
      checks: {
        type: "object",
        additionalProperties: false,
        default: {},
        description: "What `replaceTable` asks of the loaded rows before anybody sees them.",
        properties: {
          minRows: { type: "integer", minimum: 0, default: 0, description: "Rows at least." },
          maxShrinkPercent: {
            type: "number",
            minimum: 0,
            maximum: 100,
            default: 100,
            description: "How much smaller than before, in per cent of the rows, the table may become.",
          },
          queries: {
            type: "array",
            items: { type: "string", format: "sql" },
            default: [],
            description: "Queries that must find no row; `{table}` stands for the loaded table.",
          },
        },
      },
      verify: {
        type: "string",
        enum: ["none", "checksum"],
        default: "none",
        description:
          "`checksum`: add up every column while it is written, and compare with what the database says the table holds. For `append` and `replaceTable`; rows are then read as values, never forwarded unread.",
      },
      ledger: {
        type: "string",
        enum: ["auto", "required", "off"],
        default: "auto",
        description:
          "Keep a table `headrace_ledger` beside the target, in which every split is noted with its commit, so that a repeated or resumed run writes nothing twice. `auto` goes on without it where it cannot be created, `required` fails then.",
      },
      keyColumns: {
        type: "array",
        items: { type: "string" },
        minItems: 1,
        description:
          "Columns that identify a row; by default the primary key. A created table gets them as its primary key.",
      },
      mapping: {
        default: "name",
        description:
          "Which incoming column goes to which column of the table: by `name`, by `position`, or a list of pairs `{from, to}`.",
        oneOf: [
          { type: "string", enum: ["name", "position"] },
          {
            type: "array",
            minItems: 1,
            items: {
              type: "object",
              additionalProperties: false,
              required: ["from", "to"],
              properties: {
                from: { type: "string", description: "Incoming column." },
                to: { type: "string", description: "Column of the table." },
              },
            },
          },
        ],
      },
      createTable: { type: "boolean", default: false, description: "Create the table when it is missing." },
      allowLossy: {
        default: false,
        description: "Consent to conversions that round or drop something: true for all, or the columns concerned.",
        oneOf: [{ type: "boolean" }, { type: "array", items: { type: "string" } }],
      },
      before: {
        type: "array",
        items: { type: "string", format: "sql" },
        default: [],
        description: "Preparation statements, run once before the first row; they are committed on their own.",
      },
      after: {
        type: "array",
        items: { type: "string", format: "sql" },
        default: [],
        description: "Completion statements, run once when every row is committed.",
      },
      timeoutMs: {
        type: "integer",
        minimum: 1,
        description: "Limit of one preparation or completion statement; by default the run's statement timeout.",
      },
      ...database.outputOptions,
    },
  }
}

function dataSourceOption(database: DatabaseText, verb: string) {
  return {
    type: "string",
    "x-dataSource": database.id,
    description: `Name of the ${database.title} data source to ${verb}.`,
  }
}
