import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { seedServerData } from "../../scripts/bench/server-data.ts"
import { openFile } from "./sqlite-file.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-plan-"))
const path = join(folder, "state.db")
seedServerData(path, { flows: 100, jobs: 20_000 })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const page = "ORDER BY id DESC LIMIT 50"

test.each([
  ["newest jobs", `SELECT * FROM jobs ${page}`],
  ["further jobs", `SELECT * FROM jobs WHERE id < 'x' ${page}`],
  ["jobs of a flow", `SELECT * FROM jobs WHERE flow = 'f' ${page}`],
  ["further jobs of a flow", `SELECT * FROM jobs WHERE flow = 'f' AND id < 'x' ${page}`],
  ["jobs in a state", `SELECT * FROM jobs WHERE status = 'failed' AND id < 'x' ${page}`],
  ["jobs of a time", `SELECT * FROM jobs WHERE id > 'a' AND id < 'x' ${page}`],
  ["log of a job", "SELECT * FROM job_logs WHERE job = 'j' AND line > 5 ORDER BY line LIMIT 200"],
  ["newest runs", "SELECT * FROM runs ORDER BY key DESC LIMIT 20"],
  ["runs of a flow", "SELECT * FROM runs WHERE flow = 'f' ORDER BY key DESC LIMIT 20"],
  ["a run", "SELECT * FROM runs WHERE id = 'r'"],
  ["flows", "SELECT id, name FROM flows WHERE id > 'a' ORDER BY id LIMIT 50"],
  ["a flow", "SELECT * FROM flows WHERE name = 'f'"],
  ["audit log", `SELECT * FROM audit_log WHERE id < 'x' ${page}`],
  ["audit log of a subject", `SELECT * FROM audit_log WHERE subject_kind = 'flow' AND subject_id = 'f' ${page}`],
  ["audit log of an actor", `SELECT * FROM audit_log WHERE actor_id = 'u' ${page}`],
  ["schedules that are due", "SELECT * FROM schedules WHERE next_at <= 5 ORDER BY next_at"],
  [
    "deliveries that are due",
    "SELECT * FROM deliveries WHERE status = 'waiting' AND due_at <= 5 ORDER BY due_at LIMIT 10",
  ],
  ["deliveries of a webhook", `SELECT * FROM deliveries WHERE webhook = 'w' ${page}`],
  ["rejected rows of a split", "SELECT * FROM rejections WHERE run = 1 AND split = 's'"],
])("query-plan of %s neither reads a whole table nor sorts", (_, statement) => {
  using database = new DatabaseSync(path)
  const plan = database
    .prepare(`EXPLAIN QUERY PLAN ${statement}`)
    .all()
    .map(({ detail }) => String(detail))
  expect(
    plan.filter((line) => /TEMP B-TREE/.test(line) || (/^SCAN/.test(line) && !/USING/.test(line) && !isByRowid(line))),
  ).toEqual([])
})

/** From the newest on, which is where it stops. */
function isByRowid(line: string): boolean {
  return line === "SCAN runs"
}

test("query-plan finds what is old by its key", () => {
  const file = openFile(path)
  file.close()
  using database = new DatabaseSync(path)
  const plan = database
    .prepare(
      "EXPLAIN QUERY PLAN SELECT job, line FROM job_logs WHERE job < 'x' AND at < 5 ORDER BY job, line LIMIT 200",
    )
    .all()
  expect(plan.map(({ detail }) => detail)).toEqual(["SEARCH job_logs USING PRIMARY KEY (job<?)"])
})
