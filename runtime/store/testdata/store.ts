import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Rejection } from "../../../core/run/journal.ts"
import type { RunReport, SplitReceipt } from "../../../core/run/report.ts"
import type { NewRun } from "../../../core/store/run-record.ts"
import { thisProcess } from "../process-owner.ts"
import { makeQuarantine } from "../sqlite-quarantine.ts"
import { makeRunStore } from "../sqlite-run-store.ts"
import { StateFile, type StateFileOptions } from "../state-file.ts"

/** A store in a folder of its own, at a time that tests can set. */
export class TestStore implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "headrace-store-"))
  readonly path = join(this.folder, "home", "state.db")
  now = Date.parse("2026-07-01T00:00:00Z")

  async open(options: StateFileOptions = {}) {
    const file = await StateFile.open(this.path, options)
    const clock = () => this.now
    return { file, runs: makeRunStore(file, clock), quarantine: makeQuarantine(file, clock) }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function aRun(id: string, more: Partial<NewRun> = {}): NewRun {
  return {
    id,
    origin: { document: "{}", hash: "h", base: "/flows", overrides: {} },
    parameters: { day: "1" },
    bizdate: "2026-06-30",
    scheduledAt: "2026-07-01T00:00:00",
    steps: [aStep("read", "input", "shop"), aStep("write", "output", "dwh")],
    sources: [{ name: "shop", type: "sqlite", place: { path: "/shop.db" } }],
    owner: thisProcess(),
    ...more,
  }
}

function aStep(id: string, kind: "input" | "output", dataSource: string): NewRun["steps"][number] {
  const none = { input: [], output: [] }
  return { id, use: `x-${kind}`, kind, ...none, offered: none, dataSources: [dataSource] }
}

export function aReport(runId: string, more: Partial<RunReport> = {}): RunReport {
  return {
    runId,
    fence: 1,
    status: "succeeded",
    startedAt: "2026-07-01T00:00:00.000Z",
    durationMs: 10,
    steps: [],
    receipts: [],
    splits: 1,
    rejected: 0,
    retries: 0,
    adjusted: [],
    marks: {},
    notes: [],
    ...more,
  }
}

export function aReceipt(split: string, written: number, more: Partial<SplitReceipt> = {}): SplitReceipt {
  const output = { step: "write", received: written, written, rejected: 0, filtered: 0, made: 0 }
  return {
    split,
    label: split,
    attempt: 1,
    read: written,
    steps: [],
    outputs: [{ ...output, guarantee: "exactly-once" }],
    ...more,
  }
}

export function aRejection(runId: string, row: number, more: Partial<Rejection> = {}): Rejection {
  return {
    runId,
    step: "write",
    split: "read/1",
    attempt: 1,
    row,
    column: "id",
    value: `v${row}`,
    reason: "bad",
    record: { id: `v${row}`, name: null },
    ...more,
  }
}
