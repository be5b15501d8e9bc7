import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Session } from "../../core/contract/index.ts"
import { columns, expectedOf, filesAt, hiddenAt, openSink, sessionOf } from "./testdata/file-run.ts"

let base = ""
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "headrace-sink-"))
})
afterAll(() => rm(base, { recursive: true, force: true }))

const newFolder = () => mkdtemp(join(base, "run-"))

async function* rows(session: Session, ...texts: string[]) {
  for (const a of texts) yield session.batches.fromRows(columns, [{ a }])
}

test("a file output tells what is committed, with note and rows, also in another attempt", async () => {
  const folder = await newFolder()
  const session = sessionOf(folder, 1)
  const sink = await openSink(session, "joined", 2)
  expect(await sink.committed!("a", session)).toBeUndefined()
  const note = 'two\n"lines" 北京'
  const receipt = await sink.write({ id: "a", attempt: 1, note: () => note }, rows(session, "1", "2"), session)
  expect(receipt).toEqual({ written: 2, guarantee: "exactly-once" })
  const committed = { written: 2, guarantee: "exactly-once", note } as const
  expect(await sink.committed!("a", session)).toEqual(committed)
  const later = await openSink(sessionOf(folder, 2), "joined", 2)
  expect(await later.committed!("a", session)).toEqual(committed)
  expect(await later.committed!("b", session)).toBeUndefined()
  expect(await filesAt(folder)).toEqual({})
})

test("a file output commits when the rejected rows are kept, and not when they cannot be", async () => {
  const folder = await newFolder()
  const session = sessionOf(folder, 1)
  const sink = await openSink(session, "whole")
  const events: string[] = []
  const split = { id: "only", attempt: 1, note: () => String(events.push("noted")) }
  const failing = {
    ...session,
    sealed: async () => {
      events.push(`sealed, committed: ${(await sink.committed!("other", session)) ?? "nothing"}`)
      throw session.failure("resource", "Cannot keep rejected rows")
    },
  }
  await expect(sink.write(split, rows(session, "1"), failing)).rejects.toMatchObject({ reason: "resource" })
  expect(events).toEqual(["noted", "sealed, committed: nothing"])
  expect(await sink.committed!("only", session)).toBeUndefined()
  const [hidden] = await hiddenAt(folder)
  expect(await readdir(join(folder, hidden!))).toEqual([])
  await sink.write(split, rows(session, "2"), session)
  await expect(sink.finish(failing)).rejects.toMatchObject({ reason: "resource" })
  expect(await filesAt(folder)).toEqual({})
  await sink.finish(session)
  await sink[Symbol.asyncDispose]()
  expect(await filesAt(folder)).toEqual({ "out.csv": ["2"] })
})

test("a file output that is stopped commits nothing more", async () => {
  const folder = await newFolder()
  const controller = new AbortController()
  const session = { ...sessionOf(folder, 1), signal: controller.signal }
  const sink = await openSink(session, "whole")
  const sealed = { ...session, sealed: async () => controller.abort() }
  const write = sink.write({ id: "only", attempt: 1, note: () => "" }, rows(session, "1"), sealed)
  await expect(write).rejects.toMatchObject({ reason: "cancelled" })
  await sink.abort(session)
  expect(await readdir(folder)).toEqual([])
})

test("a file output replaces the rows of an earlier try at a split", async () => {
  const folder = await newFolder()
  const session = sessionOf(folder, 1)
  const sink = await openSink(session, "joined", 2)
  for (const [attempt, text] of ["first", "second"].entries())
    await sink.write({ id: "a", attempt, note: () => text }, rows(session, text), session)
  await sink.write({ id: "b", attempt: 1, note: () => "" }, rows(session, "b"), session)
  expect(await sink.committed!("a", session)).toMatchObject({ note: "second" })
  await sink.finish(session)
  await sink[Symbol.asyncDispose]()
  expect(await filesAt(folder)).toEqual({ "out.csv": ["second", "b"] })
})

test("a file output that cannot put all files in place leaves the hidden ones until it is aborted", async () => {
  const folder = await newFolder()
  await mkdir(join(folder, "out-00002.csv"))
  const session = sessionOf(folder, 1)
  const sink = await openSink(session, "partitioned")
  for (const id of ["a", "b", "c"])
    await sink.write({ id, attempt: 1, note: () => "" }, rows(session, `${id}/1 by 1`, `${id}/2 by 1`), session)
  await expect(sink.finish(session)).rejects.toMatchObject({
    reason: "config",
    message: `Cannot write "${folder}/out-00002.csv": it is a folder`,
  })
  expect(await readdir(folder)).toContain("out-00002.csv")
  expect(await readdir(folder)).not.toContain("out-00001.csv")
  await rm(join(folder, "out-00002.csv"), { recursive: true })
  await sink.finish(session)
  const outcome = new Map(["a", "b", "c"].map((id) => [id, 1]))
  expect(await filesAt(folder)).toEqual(expectedOf("partitioned", outcome))
  await sink.abort(session)
  expect(await hiddenAt(folder)).toEqual([])
})

const canMount = await (async () => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-mount-"))
  const isMounted = mount(folder)
  if (isMounted) unmount(folder)
  await rm(folder, { recursive: true })
  return isMounted
})()

function mount(folder: string): boolean {
  const command = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", folder]
  try {
    return Bun.spawnSync(command).exitCode === 0
  } catch {
    return false
  }
}

function unmount(folder: string): void {
  expect(Bun.spawnSync(["umount", folder]).exitCode).toBe(0)
}

const fullRun = [process.execPath, join(import.meta.dir, "testdata/full-run.ts")]

async function fill(folder: string, sizes: readonly number[], command: readonly string[]): Promise<unknown> {
  await writeFile(join(folder, "out.csv"), "old")
  const run = Bun.spawnSync([...command, folder, ...sizes.map(String)])
  expect(run.stderr.toString()).toBe("")
  expect(await readdir(folder)).toEqual(["out.csv"])
  const { size } = await stat(join(folder, "out.csv"))
  if (size < 100) expect(await readFile(join(folder, "out.csv"), "utf8")).toBe("old")
  const text = run.stdout.toString()
  return text === "" ? size : JSON.parse(text)
}

test.skipIf(!canMount)("a file output on a full disk keeps the old file and leaves nothing else", async () => {
  const folder = await newFolder()
  expect(mount(folder)).toBe(true)
  try {
    const message = `Cannot write "${folder}/out.csv": no space is left on the device`
    expect(await fill(folder, [2_000_000], fullRun)).toEqual({ phase: "write", reason: "resource", message })
    expect(await fill(folder, [400_000, 400_000], fullRun)).toEqual({ phase: "finish", reason: "resource", message })
    expect(await fill(folder, [200_000, 200_000], fullRun)).toBe(400_002)
  } finally {
    unmount(folder)
  }
})

test("a file output that meets a limit of file sizes keeps the old file and leaves nothing else", async () => {
  const folder = await newFolder()
  const limited = ["sh", "-c", `trap '' XFSZ; ulimit -f 1200; exec "$@"`, "sh", ...fullRun]
  const message = `Cannot write "${folder}/out.csv": the file is larger than the system allows`
  expect(await fill(folder, [2_000_000], limited)).toEqual({ phase: "write", reason: "resource", message })
  expect(await fill(folder, [400_000, 400_000], limited)).toEqual({ phase: "finish", reason: "resource", message })
  expect(await fill(folder, [200_000, 200_000], limited)).toBe(400_002)
})
