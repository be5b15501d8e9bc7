import { makeBatches } from "../../core/batch/index.ts"
import type { ParameterValue, RejectedRow, RunSettings, Session } from "../../core/contract/index.ts"
import { makeFiles } from "../../runtime/files/files.ts"

/** A real session for tests of one component: it collects what a run would keep. */
export interface TestSession extends Session {
  readonly rejected: RejectedRow[]
  /** `policy/column` to number of values. */
  readonly adjustments: Map<string, number>
  readonly warnings: string[]
  abort(): void
}

export interface TestSessionOptions {
  readonly settings?: Partial<RunSettings>
  readonly parameters?: Readonly<Record<string, ParameterValue>>
  /** Folder that relative paths start from. */
  readonly base?: string
  /** Rejected rows after which `reject` throws; default: never. */
  readonly rejectLimit?: number
}

export function testSession(options: TestSessionOptions = {}): TestSession {
  const controller = new AbortController()
  const rejected: RejectedRow[] = []
  const adjustments = new Map<string, number>()
  const warnings: string[] = []
  const settings: RunSettings = {
    batchRows: 4096,
    batchBytes: 1_048_576,
    bufferBytes: 8_388_608,
    loadBytes: options.settings?.bufferBytes ?? 8_388_608,
    timeZone: "UTC",
    connectTimeoutMs: 10_000,
    connectRetries: 0,
    statementTimeoutMs: 60_000,
    schemaDrift: "fail",
    ...options.settings,
  }
  const failure: Session["failure"] = (reason, message, { cause, ...rest } = {}) =>
    Object.assign(new Error(message, { cause }), { reason, ...rest })
  return {
    signal: controller.signal,
    log: { debug: () => {}, info: () => {}, warn: (message) => void warnings.push(message) },
    batches: makeBatches({ rows: settings.batchRows, bytes: settings.batchBytes }),
    files: makeFiles({ base: options.base ?? process.cwd() }),
    parameters: options.parameters ?? {},
    settings,
    run: { id: "test", fence: 1 },
    reject(row) {
      rejected.push(row)
      if (rejected.length > (options.rejectLimit ?? Number.POSITIVE_INFINITY)) {
        throw failure("data", `Cannot go on: ${rejected.length} rows were rejected`)
      }
    },
    sealed: async () => {},
    filtered: () => {},
    made: () => {},
    adjusted(policy, column, values) {
      const key = `${policy}/${column}`
      adjustments.set(key, (adjustments.get(key) ?? 0) + values)
    },
    failure,
    rejected,
    adjustments,
    warnings,
    abort: () => controller.abort(),
  }
}
