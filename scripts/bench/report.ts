import { cpus, loadavg, totalmem } from "node:os"
import type { Bench } from "./bench.ts"
import { hasMariadb, runMariadb, runPostgres } from "./sql.ts"

/** The timed runs of one side. */
export interface Side {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: number
  readonly peakMb: number
}

/** One line of the result. `ratio` is absent when a side could not be measured; `why` then says the reason. */
export interface Outcome {
  readonly case: string
  readonly reference: string
  readonly limit: number
  readonly rows: number
  readonly verdict: "ok" | "missed" | "skipped" | "failed"
  readonly why?: string
  readonly ratio?: number
  readonly ours: Side | undefined
  readonly theirs: Side | undefined
}

/** Says on what the numbers were made: without that they mean nothing. */
export async function printHeader(bench: Bench): Promise<void> {
  const { options } = bench
  const cores = cpus()
  console.log(
    `machine  ${cores.length} × ${cores[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Bun ${Bun.version}`,
  )
  console.log(
    `load     ${loadavg()
      .map((each) => each.toFixed(1))
      .join(" ")} before the start: above 0.5, others disturb the numbers`,
  )
  console.log(`runs     ${options.repeat} of each side alternately after one that does not count; medians`)
  const names = "'server_version', 'shared_buffers', 'max_wal_size', 'wal_level', 'fsync', 'synchronous_commit'"
  const more = "'full_page_writes', 'checkpoint_timeout', 'autovacuum', 'jit'"
  const postgres = `select string_agg(name || '=' || current_setting(name), ' ' order by name desc)
    from pg_settings where name in (${names}, ${more})`
  console.log(`postgres ${await runPostgres(bench, postgres, "postgres")}`)
  if (hasMariadb(bench)) {
    const variables = ["version", "innodb_buffer_pool_size", "innodb_log_file_size", "innodb_flush_log_at_trx_commit"]
    const more = ["innodb_doublewrite", "innodb_flush_method", "log_bin"]
    const shown = [...variables, ...more].map((name) => `'${name}=', @@${name}`).join(", ' ', ")
    console.log(`mariadb  ${await runMariadb(bench, `select concat(${shown})`, "mysql")}`)
  }
  console.log("targets  ordinary logged tables; PostgreSQL's without index, MariaDB's with its primary key")
  console.log(`headrace ${"missing" in bench.ours ? `skipped: ${bench.ours.missing}` : bench.ours.argv.join(" ")}`)
}

export function printProgress(name: string, text: string): void {
  console.log(`  ${name.padEnd(16)} ${text}`)
}

export function printOutcome(outcome: Outcome): void {
  const { reference, ratio, limit, verdict, why } = outcome
  const text =
    ratio === undefined ? `${verdict}: ${why}` : `ratio ${ratio.toFixed(2)}, limit ${limit.toFixed(2)}: ${verdict}`
  console.log(`  → ${reference.padEnd(14)} ${text}`)
}

export function printTable(outcomes: readonly Outcome[]): void {
  const lines = outcomes.map((each) => [
    each.case,
    each.reference,
    seconds(each.ours),
    seconds(each.theirs),
    each.ratio?.toFixed(2) ?? "",
    each.limit.toFixed(2),
    each.ours ? each.ours.peakMb.toFixed(0) : "",
    each.why === undefined ? each.verdict : `${each.verdict}: ${each.why}`,
  ])
  const head = ["case", "reference", "ours s (min-max, runs)", "reference s", "ratio", "limit", "peak MB", "verdict"]
  const widths = head.map((title, at) =>
    Math.max(title.length, ...lines.map((line) => (at < 7 ? line[at]!.length : 0))),
  )
  console.log("")
  for (const line of [head, ...lines])
    console.log(
      line
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join("  ")
        .trimEnd(),
    )
  const count = (verdict: Outcome["verdict"]) => outcomes.filter((each) => each.verdict === verdict).length
  console.log(`\n${count("ok")} ok, ${count("missed")} missed, ${count("failed")} failed, ${count("skipped")} skipped`)
}

export async function writeJson(path: string, outcomes: readonly Outcome[]): Promise<void> {
  const rows = outcomes.map((each) => ({
    case: each.case,
    reference: each.reference,
    ratio: rounded(each.ratio),
    ours_s: rounded(each.ours?.median),
    reference_s: rounded(each.theirs?.median),
    peak_mb: rounded(each.ours?.peakMb),
    rows: each.rows,
    limit: each.limit,
    verdict: each.verdict,
    ...(each.why !== undefined && { why: each.why }),
  }))
  await Bun.write(path, `${JSON.stringify(rows, null, 2)}\n`)
}

function seconds(side: Side | undefined): string {
  if (side === undefined) return ""
  return `${side.median.toFixed(2)} (${side.min.toFixed(2)}-${side.max.toFixed(2)}, ${side.runs})`
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1000) / 1000
}
