import type { Columns, Split } from "../../contract/index.ts"
import type { RunReport, SplitReceipt } from "../../run/report.ts"
import type { ColumnKit } from "../column-kit.ts"
import type { NewRun, RunOverrides } from "../run-record.ts"

/** What the engine remembers of runs: enough to resume one after a crash at any instant. */
export function engineTables({ table, text, integer, serial, boolean, json }: ColumnKit) {
  return {
    runs: table("runs", {
      key: serial(),
      id: text().notNull(),
      flow: text(),
      replayOf: integer(),
      fence: integer().notNull(),
      status: text().$type<"running" | "succeeded" | "failed" | "cancelled">().notNull(),
      discarded: boolean().notNull(),
      settled: boolean().notNull(),
      /** An output shows nothing before the run has ended. */
      staged: boolean().notNull(),
      pid: integer().notNull(),
      process: text(),
      host: text().notNull(),
      startedAt: integer().notNull(),
      attemptAt: integer().notNull(),
      endedAt: integer(),
      written: integer(),
      rejected: integer(),
      bizdate: text().notNull(),
      scheduledAt: text().notNull(),
      base: text().notNull(),
      path: text(),
      hash: text().notNull(),
      overrides: json<RunOverrides>().notNull(),
      parameters: json<Readonly<Record<string, string>>>().notNull(),
      steps: json<NewRun["steps"]>().notNull(),
      sources: json<NewRun["sources"]>().notNull(),
      document: text().notNull(),
      report: json<RunReport>(),
    }),
    inputs: table("inputs", {
      run: integer().notNull(),
      step: text().notNull(),
      columns: json<Columns>().notNull(),
      splits: json<readonly Split[]>().notNull(),
      oneSnapshot: boolean().notNull(),
      mark: text(),
    }),
    splits: table("splits", {
      run: integer().notNull(),
      split: text().notNull(),
      attempt: integer().notNull(),
      written: integer(),
      receipt: json<SplitReceipt>(),
    }),
    rejections: table("rejections", {
      id: serial(),
      run: integer().notNull(),
      step: text().notNull(),
      split: text().notNull(),
      row: integer().notNull(),
      position: text(),
      columnName: text(),
      hasValue: boolean().notNull(),
      value: text(),
      reason: text().notNull(),
      kind: text(),
      code: text(),
      record: text(),
      status: text().$type<"waiting" | "replayed" | "dropped">().notNull(),
      replay: integer(),
      mended: text(),
    }),
    /** Rows on their way into a replay, until it takes all of them at once. */
    mendedRows: table("mended_rows", {
      batch: text().notNull(),
      id: integer().notNull(),
      record: text().notNull(),
      at: integer().notNull(),
    }),
    marks: table("marks", {
      flow: text().notNull(),
      step: text().notNull(),
      source: text().notNull(),
      mark: text().notNull(),
      run: text().notNull(),
      at: integer().notNull(),
    }),
  }
}
