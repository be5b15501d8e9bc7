import type { KeptMark, Marks } from "../../core/store/marks.ts"
import { number, SUMMARY_COLUMNS, summaryOf, text } from "./run-row.ts"
import type { StateFile } from "./state-file.ts"

/** The marks of an SQLite run store. */
export function makeMarks(file: StateFile, now: () => number = Date.now): Marks["Service"] {
  const running = (flow: string) =>
    file
      .all(`SELECT ${SUMMARY_COLUMNS} FROM runs WHERE flow = ? AND status = 'running' ORDER BY key DESC`, flow)
      .map(summaryOf)
  return {
    async list(flow) {
      const rows = file.all(
        "SELECT flow, step, source, mark, run, at FROM marks WHERE ?1 IS NULL OR flow = ?1 ORDER BY flow, step, source",
        flow ?? null,
      )
      return rows.map(
        (row): KeptMark => ({
          flow: text(row.flow),
          step: text(row.step),
          dataSource: text(row.source),
          mark: text(row.mark),
          run: text(row.run),
          at: number(row.at),
        }),
      )
    },
    async set({ flow, step, dataSource, mark, run }, judge) {
      file.write(() => {
        judge(running(flow))
        // A step has one mark: that of something else would keep the flow from running.
        file.run("DELETE FROM marks WHERE flow = ? AND step = ?", flow, step)
        file.run(
          "INSERT INTO marks (flow, step, source, mark, run, at) VALUES (?, ?, ?, ?, ?, ?)",
          ...[flow, step, dataSource, mark, run, now()],
        )
      })
    },
    async drop(flow, step, judge) {
      return file.write(() => {
        judge(running(flow))
        return file.run("DELETE FROM marks WHERE flow = ?1 AND (?2 IS NULL OR step = ?2)", flow, step ?? null)
      })
    },
  }
}
