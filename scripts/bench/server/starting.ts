import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ApiClient } from "../../testing/api-client.ts"
import { serve } from "../../testing/served.ts"
import { seedServerData } from "../server-data.ts"
import { type Figure, quantile } from "./figure.ts"
import { megabytesOf } from "./stage.ts"

/** From the start of the process to the first answer that says ready, on an empty folder; and what it holds then. */
export async function emptyStart(command: readonly string[]): Promise<readonly Figure[]> {
  const times: number[] = []
  let megabytes = 0
  for (let i = 0; i < TIMES; i++) {
    await using server = await serve({ command })
    times.push(server.readyMs)
    // Until the worker that waits is there, and what starting took is given back.
    await Bun.sleep(3000)
    megabytes = megabytesOf(server.pid).own
  }
  return [
    { name: "start to ready, empty store", value: quantile(times, 0.5), unit: "ms", limit: 300 },
    { name: "resident memory of the idle server", value: megabytes, unit: "MB", limit: 120 },
  ]
}

/** The same with a store that has seen years, and how long its lists take. */
export async function fullStart(
  command: readonly string[],
  size: { readonly flows: number; readonly jobs: number },
): Promise<readonly Figure[]> {
  const home = mkdtempSync(join(tmpdir(), "headrace-full-"))
  try {
    seedServerData(join(home, "state.db"), size)
    const server = await serve({ command, home })
    try {
      const ada = await ApiClient.setUp(server)
      const note = `${size.flows} flows, ${size.jobs} runs`
      const ready = {
        name: "start to ready, full store",
        value: server.readyMs,
        unit: "ms",
        limit: 1000,
        note,
      } as const
      return [ready, await slowestList(ada)]
    } finally {
      await server[Symbol.asyncDispose]()
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function slowestList(ada: ApiClient): Promise<Figure> {
  const lists = [
    "/runs",
    "/runs?status=failed",
    "/runs?flow=flow-77",
    "/runs?status=running",
    "/flows",
    "/flows?text=flow-99",
  ]
  let slowest = { path: "", ms: 0 }
  for (const path of lists) {
    const times: number[] = []
    for (let i = 0; i < TIMES; i++) {
      const startedAt = performance.now()
      await ada.done(`GET ${path}`)
      times.push(performance.now() - startedAt)
    }
    const ms = quantile(times, 0.5)
    if (ms > slowest.ms) slowest = { path, ms }
  }
  return { name: "list pages, the slowest", value: slowest.ms, unit: "ms", limit: 100, note: slowest.path }
}

const TIMES = 5
