import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dyingDisk, pausingDisk } from "./testdata/disks.ts"
import {
  attempt,
  complete,
  expectedOf,
  filesAt,
  hiddenAt,
  type Mode,
  modes,
  type Outcome,
  openSink,
  sessionOf,
  step,
} from "./testdata/file-run.ts"

let base = ""
beforeAll(async () => {
  // In memory where that is possible: what survives a killed process does not depend on the disk, only the time does.
  const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()
  base = await mkdtemp(join(memory, "headrace-crash-"))
})
afterAll(() => rm(base, { recursive: true, force: true }))

const allModes = Object.keys(modes) as Mode[]
/** More operations than any of the runs does. */
const enough = 500

/** A folder in which files of an earlier run stand: as many as this one makes, and for numbered ones two more. */
async function folderFor(mode: Mode): Promise<string> {
  const folder = await mkdtemp(join(base, `${mode}-`))
  const { config } = modes[mode]
  const names = mode === "partitioned" ? [1, 2, 3, 4, 5].map((number) => `out-0000${number}.csv`) : [config.path]
  for (const name of names) await writeFile(join(folder, name), "old")
  return folder
}

/** Every visible file is either the old one or a whole new one. */
async function mustBeWhole(folder: string, mode: Mode): Promise<void> {
  const sizes = Object.values(expectedOf(mode, new Map())).map((rows) => rows.length)
  for (const rows of Object.values(await filesAt(folder)))
    if (rows.join() !== "old") expect(sizes).toContain(rows.length)
}

/** Files that have all appeared are known to have done so, until nothing is left beside them. */
async function mustKnowWhatAppeared(folder: string, mode: Mode): Promise<void> {
  const outcome = new Map(modes[mode].splits.map((split) => [split, 1]))
  if (JSON.stringify(await filesAt(folder)) !== JSON.stringify(expectedOf(mode, outcome))) return
  const [hidden] = await hiddenAt(folder)
  const names = hidden === undefined ? [] : await readdir(join(folder, hidden))
  if (names.length > 0) expect(names).toContain("publish.json")
}

async function mustBeDone(folder: string, mode: Mode, outcome: Outcome): Promise<void> {
  expect(await filesAt(folder)).toEqual(expectedOf(mode, outcome))
  expect(await hiddenAt(folder)).toEqual([])
}

test.each([
  ["joined", 1],
  ["partitioned", 5],
] as const)(
  "a file output that is killed at any operation is resumed to the same result, %s",
  async (mode, stride) => {
    const child = join(import.meta.dir, "testdata/killed-run.ts")
    let isThrough = false
    const walk = async (first: number) => {
      for (let n = first; !isThrough; n += 2 * stride) {
        const folder = await folderFor(mode)
        const run = Bun.spawn([process.execPath, child, folder, mode, "1", String(n)], { stderr: "inherit" })
        const code = await run.exited
        if (run.signalCode === "SIGKILL") {
          await mustBeWhole(folder, mode)
          await mustKnowWhatAppeared(folder, mode)
          await mustBeDone(folder, mode, await attempt(folder, mode, 2))
        } else {
          expect(code).toBe(0)
          isThrough = true
          expect(n).toBeGreaterThan(40)
        }
      }
    }
    await Promise.all([walk(1), walk(1 + stride)])
  },
  60_000,
)

/** What an attempt has brought that dies at its n-th operation; undefined: it died. */
async function dies(folder: string, mode: Mode, fence: number, n: number): Promise<Outcome | undefined> {
  const { disk, operations } = dyingDisk(n)
  const outcome = await attempt(folder, mode, fence, disk).catch(() => undefined)
  return operations() < n ? outcome : undefined
}

test.each(allModes)("a file output that dies at any operation is resumed to the same result, %s", async (mode) => {
  let n = 1
  for (; n < enough; n++) {
    const folder = await folderFor(mode)
    if ((await dies(folder, mode, 1, n)) !== undefined) break
    await mustBeWhole(folder, mode)
    await mustKnowWhatAppeared(folder, mode)
    await mustBeDone(folder, mode, await attempt(folder, mode, 2))
  }
  expect(n).toBeGreaterThan(30)
})

test("a file output that dies twice, at any pair of operations, is resumed to the same result", async () => {
  const mode = "partitioned"
  let pairs = 0
  for (let n = 3; n < enough; n += 5) {
    for (let m = (n % 3) + 1; m < enough; m += 7) {
      const folder = await folderFor(mode)
      if ((await dies(folder, mode, 1, n)) !== undefined) return expect(pairs).toBeGreaterThan(80)
      const second = await dies(folder, mode, 2, m)
      await mustBeWhole(folder, mode)
      await mustBeDone(folder, mode, second ?? (await attempt(folder, mode, 3)))
      pairs++
      if (second !== undefined) break
    }
  }
})

test.each(allModes)("a file output leaves nothing of a run that died and is given up, %s", async (mode) => {
  const { output, config } = modes[mode]
  for (let n = 1; n < enough; n += 3) {
    const folder = await folderFor(mode)
    const others = [".other", ".out.csv.headrace-run%202+load+1", ".out.csv.headrace-run%201+other+1"]
    for (const name of others) await mkdir(join(folder, name))
    const done = await dies(folder, mode, 3, n)
    // Files of the outputs differ in options only, which do not matter here.
    await output.discard?.(config as never, { step }, sessionOf(folder, 4))
    await mustBeWhole(folder, mode)
    expect((await hiddenAt(folder)).sort()).toEqual(others.sort())
    if (done !== undefined) return
  }
  throw new Error("The run does not end")
})

test.each(["whole", "joined", "partitioned"] as const)(
  "a file output that wakes up when a later attempt is done changes nothing, %s",
  async (mode) => {
    let n = 1
    for (; n < enough; n++) {
      const folder = await folderFor(mode)
      const { disk, paused, resume } = pausingDisk(n)
      const old = attempt(folder, mode, 1, disk).catch((error: Error) => error)
      if ((await Promise.race([paused, old])) !== undefined) break
      const outcome = await attempt(folder, mode, 2)
      resume()
      const late = await old
      // Before it has made its folder, nobody can know of it: it is as if it were started now, and replaces all.
      const isUnknown = !(late instanceof Error) && [...late.values()].every((fence) => fence === 1) && n < 10
      await mustBeDone(folder, mode, isUnknown ? (late as Outcome) : outcome)
      if (late instanceof Error) expect(late).toMatchObject({ reason: "conflict", retryable: false })
    }
    expect(n).toBeGreaterThan(20)
  },
)

test.each(["whole", "joined", "partitioned"] as const)(
  "a file output that wakes up when a later attempt has begun changes nothing, %s",
  async (mode) => {
    for (let n = 1; n < enough; n++) {
      const folder = await folderFor(mode)
      const { disk, paused, resume } = pausingDisk(n)
      const old = attempt(folder, mode, 1, disk).catch((error: Error) => error)
      if ((await Promise.race([paused, old])) !== undefined) return
      const session = sessionOf(folder, 2)
      const sink = await openSink(session, mode)
      resume()
      const late = await old
      await mustBeWhole(folder, mode)
      await mustBeDone(folder, mode, await complete(sink, session, mode))
      if (late instanceof Error) expect(late).toMatchObject({ reason: "conflict", retryable: false })
    }
    throw new Error("The run does not end")
  },
)
