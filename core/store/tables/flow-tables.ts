import type { ColumnKit } from "../column-kit.ts"

/** How a task runs, beside its document. */
export interface FlowProperties {
  /** 1 runs first, 9 last. */
  readonly priority: number
  /** 0: no limit. */
  readonly timeoutHours: number
  readonly retries: number
  readonly retryMinutes: number
  /** What becomes of a run whose server or worker has died. */
  readonly onCrash: "resume" | "fail"
  /** Runs of the flow at the same time. */
  readonly concurrency: number
}

/** What people have made: flows with their versions, and data sources. */
export function flowTables({ table, text, integer, json }: ColumnKit) {
  return {
    flows: table("flows", {
      id: text().notNull(),
      name: text().notNull(),
      folder: text().notNull(),
      description: text().notNull(),
      document: text().notNull(),
      /** SHA-256 of the document. */
      hash: text().notNull(),
      properties: json<FlowProperties>().notNull(),
      owner: text().notNull(),
      version: integer().notNull(),
      createdAt: integer().notNull(),
      updatedAt: integer().notNull(),
      updatedBy: text().notNull(),
    }),
    flowVersions: table("flow_versions", {
      flow: text().notNull(),
      version: integer().notNull(),
      document: text().notNull(),
      properties: json<FlowProperties>().notNull(),
      remark: text().notNull(),
      author: text().notNull(),
      at: integer().notNull(),
    }),
    /** The data sources that the newest version of a flow uses. */
    flowUses: table("flow_uses", {
      flow: text().notNull(),
      /** Its name. */
      dataSource: text().notNull(),
      access: text().$type<"read" | "write">().notNull(),
    }),
    dataSources: table("data_sources", {
      id: text().notNull(),
      name: text().notNull(),
      /** Id of a database component. */
      type: text().notNull(),
      description: text().notNull(),
      /** Options by environment; secrets stand in it as sealed text. Without `dev`, both environments use `prod`. */
      settings: json<{ readonly prod: Settings; readonly dev?: Settings }>().notNull(),
      /** Runs that use it at the same time; null: no limit. */
      concurrency: integer(),
      owner: text().notNull(),
      version: integer().notNull(),
      createdAt: integer().notNull(),
      updatedAt: integer().notNull(),
      updatedBy: text().notNull(),
    }),
  }
}

type Settings = Readonly<Record<string, unknown>>
