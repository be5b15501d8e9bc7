import type { ComponentBase } from "../contract/index.ts"
import { type DatabaseText, inputSchema, outputSchema } from "./options.ts"

/** What the input says of itself that is made from a database type. */
export function derivedInput(database: DatabaseText): ComponentBase & { readonly kind: "input" } {
  return {
    kind: "input",
    id: `${database.id}-input`,
    title: `${database.title} input`,
    summary: `Reads tables or a query of ${database.title}.`,
    ...(database.description === undefined ? {} : { description: database.description }),
    config: inputSchema(database),
    examples: [
      { title: "One table, in parallel", config: { dataSource: "shop", table: "orders", splitColumn: "id" } },
      { title: "Many tables of one structure", config: { dataSource: "shop", table: "order_[001-100];order_x" } },
      {
        title: "A query",
        config: { dataSource: "shop", query: "SELECT id, total FROM orders WHERE day = ${bizdate}" },
      },
      {
        title: "What has changed since the last run",
        config: {
          dataSource: "shop",
          table: "orders",
          incremental: { column: "updated_at", overlap: "15 minutes" },
        },
      },
    ],
  }
}

/** The same of its output. */
export function derivedOutput(database: DatabaseText): ComponentBase & { readonly kind: "output" } {
  return {
    kind: "output",
    id: `${database.id}-output`,
    title: `${database.title} output`,
    summary: `Writes a table of ${database.title}.`,
    ...(database.description === undefined ? {} : { description: database.description }),
    config: outputSchema(database),
    examples: [
      { title: "Append, creating the table", config: { dataSource: "warehouse", table: "orders", createTable: true } },
      {
        title: "Update by key",
        config: { dataSource: "warehouse", table: "orders", mode: "updateRows", keyColumns: ["id"] },
      },
    ],
  }
}
