import { sql } from "drizzle-orm"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import type { Rejection } from "../../../core/run/journal.ts"
import type { RunReport, SplitReceipt } from "../../../core/run/report.ts"
import { StoreDatabase } from "../../../core/store/database.ts"
import { makeQuarantine } from "../../../core/store/database-quarantine.ts"
import { makeRunStore } from "../../../core/store/database-run-store.ts"
import type { NewRun } from "../../../core/store/run-record.ts"
import { storePromises } from "../../../core/store/store-promises.ts"
import { thisProcess } from "../process-owner.ts"
import { type StorePlace, sqlitePlace } from "./store-databases.ts"

/** A store in a place of its own, at a time that tests can set. */
export class TestStore implements AsyncDisposable {
  readonly #place: StorePlace
  readonly #scope = Effect.runSync(Scope.make())
  now = Date.parse("2026-07-01T00:00:00Z")

  private constructor(place: StorePlace) {
    this.#place = place
  }

  static async make(makePlace: () => Promise<StorePlace> = sqlitePlace): Promise<TestStore> {
    return new TestStore(await makePlace())
  }

  /** As another process would. */
  async open() {
    const built = Layer.buildWithScope(Layer.fresh(this.#place.layer), this.#scope)
    const store = storePromises(Context.get(await Effect.runPromise(built), StoreDatabase))
    const clock = () => this.now
    return {
      store,
      runs: makeRunStore(store, clock),
      quarantine: makeQuarantine(store, clock),
      query: <R = Record<string, unknown>>(text: string) => store.read(({ rows }) => rows<R>(sql.raw(text))),
      execute: (text: string) => store.write(async ({ rows }) => void (await rows(sql.raw(text)))),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Effect.runPromise(Scope.close(this.#scope, Exit.void))
    await this.#place[Symbol.asyncDispose]()
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
