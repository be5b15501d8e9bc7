/** How a server is driven: over HTTP, or inside of this process. */
export interface RunDriver {
  /** Asks for a run, and resolves when it has ended; gives its status. */
  run(): Promise<string>
}

export interface RunLoad {
  /** Runs a second at which they are asked for; 0: as fast as they end. */
  readonly rate: number
  readonly runs: number
  /** Runs that may be asked for and have not ended, at most. */
  readonly open: number
  /** Called now and then. */
  readonly sample?: (done: number) => void
}

export interface LoadResult {
  readonly runs: number
  readonly failed: number
  readonly perSecond: number
  readonly medianMs: number
  readonly p99Ms: number
}

/** Asks for runs at a steady rate, and measures how long each takes from the request to its end. */
export async function driveRuns(driver: RunDriver, { rate, runs, open, sample }: RunLoad): Promise<LoadResult> {
  const startedAt = performance.now()
  const times: number[] = []
  let failed = 0
  let going = 0
  let wake: (() => void) | undefined
  const one = async () => {
    const askedAt = performance.now()
    const status = await driver.run().catch(() => "failed")
    times.push(performance.now() - askedAt)
    if (status !== "succeeded") failed++
    going--
    wake?.()
    if (times.length % SAMPLE_RUNS === 0) sample?.(times.length)
  }
  for (let asked = 0; asked < runs; asked++) {
    const dueAt = rate === 0 ? 0 : startedAt + (asked * 1000) / rate
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs))
    while (going >= open) {
      await new Promise<void>((done) => {
        wake = done
      })
    }
    going++
    void one()
  }
  while (times.length < runs) await new Promise((done) => setTimeout(done, 5))
  const seconds = (performance.now() - startedAt) / 1000
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { runs, failed, perSecond: runs / seconds, medianMs: at(0.5), p99Ms: at(0.99) }
}

const SAMPLE_RUNS = 250
