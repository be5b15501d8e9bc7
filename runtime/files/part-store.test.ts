import { afterAll, beforeAll, expect, test } from "bun:test"
import * as node from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { gunzipSync } from "node:zlib"
import type { Parts, PartWriter } from "../../core/contract/index.ts"
import type { Disk } from "./disk.ts"
import { makeFiles } from "./files.ts"

const { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } = node

let base = ""
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "headrace-parts-"))
})
afterAll(() => rm(base, { recursive: true, force: true }))

const newFolder = () => mkdtemp(join(base, "run-"))
const ownerOf = (fence: number, step = "out", id = "r") => ({ run: { id, fence }, step })

function open(folder: string, fence: number, disk: Partial<Disk> = {}): Promise<Parts> {
  return makeFiles({ base: folder, disk: { ...node, ...disk } }).parts("out.csv", ownerOf(fence))
}

async function begin(parts: Parts, id: string, text: string, attempt = 1): Promise<PartWriter> {
  const writer = await parts.create({ id, attempt })
  await writer.write(Buffer.from(text))
  return writer
}

async function commit(parts: Parts, id: string, text: string, attempt = 1): Promise<void> {
  const writer = await begin(parts, id, text, attempt)
  await writer.commit({ written: 1, note: text })
}

async function textOf(parts: Parts): Promise<string> {
  const chunks: Uint8Array[] = []
  for (const part of await parts.list()) for await (const chunk of parts.read(part)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const notesOf = async (parts: Parts) => (await parts.list()).map(({ note }) => note)
const hidden = (folder: string, fence: number) => join(folder, `.out.csv.headrace-r+out+${fence}`)

test("files counts a part only when it is whole and has its note", async () => {
  for (const ending of [".part", ".note", "cut", "garbled"]) {
    const folder = await newFolder()
    const parts = await open(folder, 1)
    for (const id of ["a", "b"]) await commit(parts, id, `rows of ${id}\n`)
    const stem = (await readdir(hidden(folder, 1))).find((name) => name.startsWith("a."))!.replace(/\.\w+$/, "")
    const path = join(hidden(folder, 1), stem)
    if (ending === "cut") await node.truncate(`${path}.part`, 3)
    else if (ending === "garbled") await node.truncate(`${path}.note`, 9)
    else await rm(`${path}${ending}`)
    const later = await open(folder, 2)
    expect(await later.committed("a")).toBeUndefined()
    expect(await textOf(later)).toBe("rows of b\n")
    expect(await readdir(hidden(folder, 2))).toHaveLength(2)
  }
})

test("files ends a try at a split when it has said that nothing is committed, or when another begins", async () => {
  const parts = await open(await newFolder(), 1)
  const refused = { reason: "conflict", retryable: false, message: expect.stringContaining("split a is tried anew") }
  const first = await begin(parts, "a", "first")
  expect(await parts.committed("a")).toBeUndefined()
  await expect(first.commit({ written: 1, note: "" })).rejects.toMatchObject(refused)
  const second = await begin(parts, "a", "second")
  const third = await begin(parts, "a", "third")
  await expect(second.commit({ written: 1, note: "" })).rejects.toMatchObject(refused)
  await third.commit({ written: 1, note: "third" })
  for (const writer of [first, second, third]) await writer.abort()
  expect(await textOf(parts)).toBe("third")
})

test("files waits for a commit in its last step before it says what is committed", async () => {
  const folder = await newFolder()
  const reached = Promise.withResolvers<void>()
  const going = Promise.withResolvers<void>()
  const parts = await open(folder, 1, {
    rename: async (from, to) => {
      reached.resolve()
      await going.promise
      await rename(from, to)
    },
  })
  const commits = commit(parts, "a", "rows")
  await reached.promise
  const asked = parts.committed("a")
  going.resolve()
  expect(await asked).toEqual({ split: "a", written: 1, note: "rows" })
  await commits
})

test("files commits nothing of which a piece did not reach the disk on the way", async () => {
  const folder = await newFolder()
  let flushed = 0
  const parts = await open(folder, 1, {
    open: async (path, ...rest) => {
      const handle = await node.open(path, ...rest)
      handle.datasync = async () => {
        flushed++
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" })
      }
      return handle
    },
  })
  const writer = await parts.create({ id: "a", attempt: 1 })
  await writer.write(new Uint8Array(40_000_000))
  await expect(writer.commit({ written: 1, note: "" })).rejects.toMatchObject({ reason: "resource" })
  await writer.abort()
  expect([flushed, await parts.list()]).toEqual([1, []])
})

test("files takes back a part that has its name, when that cannot be made durable", async () => {
  const folder = await newFolder()
  let isBroken = false
  const parts = await open(folder, 1, {
    rename: async (from, to) => {
      await rename(from, to)
      isBroken = true
    },
    open: async (path, ...rest) => {
      if (isBroken) throw Object.assign(new Error("seen"), { code: "EIO" })
      return node.open(path, ...rest)
    },
  })
  const writer = await begin(parts, "a", "rows")
  await expect(writer.commit({ written: 1, note: "" })).rejects.toThrow(`Cannot write "${folder}/out.csv": seen`)
  await writer.abort()
  expect(await parts.committed("a")).toBeUndefined()
  expect(await readdir(hidden(folder, 1))).toEqual([])
})

test("files lets one of several attempts have the parts: the last", async () => {
  const folder = await newFolder()
  await commit(await open(folder, 1), "a", "rows")
  const opened = await Promise.allSettled([2, 3, 4, 5].map((fence) => open(folder, fence)))
  const { reason: lost } = opened[0] as PromiseRejectedResult
  if (lost !== undefined) expect(lost).toMatchObject({ reason: "conflict", retryable: false })
  const last = opened[3] as PromiseFulfilledResult<Parts>
  expect(await notesOf(last.value)).toEqual(["rows"])
  expect(await readdir(folder)).toEqual([".out.csv.headrace-r+out+5"])
  await expect(open(folder, 4)).rejects.toThrow(
    `Cannot write "${folder}/out.csv": a later attempt at this run has taken over`,
  )
  expect(await readdir(folder)).toEqual([".out.csv.headrace-r+out+5"])
})

test("files puts away what an attempt makes that wakes up too late to be seen", async () => {
  const folder = await newFolder()
  const late = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const old = open(folder, 1, {
    mkdir: (async (path: string, options?: object) => {
      if (path.endsWith("+1")) {
        reached.resolve()
        await late.promise
      }
      return mkdir(path, options)
    }) as Disk["mkdir"],
  })
  await reached.promise
  const parts = await open(folder, 2)
  late.resolve()
  await expect(old).rejects.toMatchObject({ reason: "conflict" })
  await commit(parts, "a", "rows")
  expect(await notesOf(await open(folder, 3))).toEqual(["rows"])
  expect(await readdir(folder)).toEqual([".out.csv.headrace-r+out+3"])
})

/** An attempt with a part that hangs before a rename to `name`: its call has found the folder and is not through. */
async function hangs(folder: string, name: RegExp): Promise<{ readonly from: string; readonly to: string }> {
  const caught = Promise.withResolvers<{ readonly from: string; readonly to: string }>()
  const parts = await open(folder, 1, {
    rename: async (from, to) => {
      if (!name.test(String(to))) return rename(from, to)
      caught.resolve({ from: basename(String(from)), to: basename(String(to)) })
      await new Promise(() => {})
    },
  })
  void commit(parts, "a", "rows").then(async () => {
    const [part] = await parts.list()
    await parts.publish([{ path: "out.csv", part: part! }])
  })
  return caught.promise
}

test("files sees what comes through while it takes over: it is committed or decided", async () => {
  for (const name of [/\.part$/, /publish\.json$/]) {
    const folder = await newFolder()
    const { from, to } = await hangs(folder, name)
    const parts = await open(folder, 2, {
      rename: async (before, after) => {
        await rename(before, after)
        if (String(after).endsWith("+2")) await rename(join(String(after), from), join(String(after), to))
      },
    })
    const [part] = await parts.list()
    expect(part).toEqual({ split: "a", written: 1, note: "rows" })
    await parts.publish([{ path: "out.csv", part: part! }])
    expect(await readFile(join(folder, "out.csv"), "utf8")).toBe("rows")
  }
})

test("files leaves nothing that could come through once it has looked what is there", async () => {
  for (const name of [/\.part$/, /publish\.json$/]) {
    const folder = await newFolder()
    const { from, to } = await hangs(folder, name)
    let late: unknown
    let looks = 0
    await open(folder, 2, {
      readdir: (async (path: string) => {
        const names = await readdir(path)
        if (path === hidden(folder, 2) && ++looks === 2)
          late = await rename(join(path, from), join(path, to)).catch((error: Error) => error)
        return names
      }) as Disk["readdir"],
    })
    expect(looks).toBe(2)
    expect(late).toMatchObject({ code: "ENOENT" })
    expect(await notesOf(await open(folder, 3))).toEqual(to === "publish.json" ? ["rows"] : [])
    expect(await readdir(folder)).toEqual([".out.csv.headrace-r+out+3"])
  }
})

test("files publishes whole files, compressed by name, with the permissions of those that they replace", async () => {
  const folder = await newFolder()
  await writeFile(join(folder, "one.csv"), "old")
  await chmod(join(folder, "one.csv"), 0o640)
  const parts = await open(folder, 1)
  for (const id of ["a 10", "a 9"]) await commit(parts, id, `${id}\n`)
  const [nine, ten] = await parts.list()
  expect([nine?.split, ten?.split]).toEqual(["a 9", "a 10"])
  let made = 0
  const files = [
    { path: "one.csv", part: nine! },
    {
      path: join(folder, "two.csv.gz"),
      make: async (file: Pick<PartWriter, "write">) => {
        made++
        expect(await readdir(folder)).toHaveLength(2)
        for await (const chunk of parts.read(ten!)) await file.write(chunk)
      },
    },
  ]
  await parts.publish(files)
  await parts.publish(files)
  expect(made).toBe(1)
  expect(await readFile(join(folder, "one.csv"), "utf8")).toBe("a 9\n")
  expect((await stat(join(folder, "one.csv"))).mode & 0o777).toBe(0o640)
  expect(gunzipSync(await readFile(join(folder, "two.csv.gz"))).toString()).toBe("a 10\n")
  expect(await notesOf(await open(folder, 1))).toEqual(["a 9\n", "a 10\n"])
  await parts.remove()
  expect((await readdir(folder)).sort()).toEqual(["one.csv", "two.csv.gz"])
})

test("files goes on to publish what was decided, whatever it is asked for now", async () => {
  const folder = await newFolder()
  const parts = await open(folder, 1, {
    rename: async (from, to) => {
      if (String(to).endsWith("2.csv")) throw Object.assign(new Error("seen"), { code: "EIO" })
      await rename(from, to)
    },
  })
  for (const id of ["1", "2"]) await commit(parts, id, id)
  const [one, two] = await parts.list()
  const files = [
    { path: "1.csv", part: one! },
    { path: "2.csv", part: two! },
  ]
  await expect(parts.publish(files)).rejects.toThrow(`Cannot write "${folder}/2.csv": seen`)
  const later = await open(folder, 2)
  expect(await later.committed("1")).toEqual(one)
  await rename(join(folder, "1.csv"), join(folder, "away"))
  await writeFile(join(folder, "1.csv"), "of another run")
  await expect(later.publish([])).rejects.toMatchObject({ reason: "conflict", retryable: false })
  await rename(join(folder, "away"), join(folder, "1.csv"))
  await later.publish([])
  await later.remove()
  expect((await readdir(folder)).sort()).toEqual(["1.csv", "2.csv"])
})

test("files names the file that is to be written when a part is gone, or its place is not allowed", async () => {
  const folder = await newFolder()
  const parts = await open(folder, 1)
  await commit(parts, "a", "rows")
  for (const name of await readdir(hidden(folder, 1))) await rm(join(hidden(folder, 1), name))
  const gone = { reason: "missing", message: expect.stringContaining(`"${folder}/out.csv": somebody has removed`) }
  await expect(textOf(parts)).rejects.toMatchObject(gone)
  const [part] = await parts.list()
  await expect(parts.publish([{ path: "out.csv", part: part! }])).rejects.toMatchObject(gone)
  await expect(parts.publish([{ path: "deep/out.csv", part: part! }])).rejects.toMatchObject({
    reason: "config",
    message: `Cannot write "${folder}/deep/out.csv": it is not in the folder of "${folder}/out.csv"`,
  })
  await mkdir(join(folder, "folder"))
  const files = makeFiles({ base: folder, allow: (path) => !path.endsWith("no.csv") })
  await expect(files.parts("folder", ownerOf(1))).rejects.toMatchObject({
    reason: "config",
    message: `Cannot write "${folder}/folder": it is a folder`,
  })
  await expect(files.parts("no.csv", ownerOf(1))).rejects.toMatchObject({ reason: "permission" })
  await expect(files.discardParts("no.csv", ownerOf(1))).rejects.toMatchObject({ reason: "permission" })
})

test("files keeps parts of long names apart, by file, run, step and split", async () => {
  const folder = await newFolder()
  const files = makeFiles({ base: folder })
  const long = "北".repeat(80)
  const all = [
    ["x", ownerOf(1)],
    ["x.headrace-r+out+1", ownerOf(1)],
    ["x", ownerOf(1, "out+1")],
    ["x", ownerOf(1, "1", "r+out")],
    [`${long}.csv`, ownerOf(1, long, long)],
    [`${long}.tsv`, ownerOf(1, long, long)],
    [`${long}.tsv`, ownerOf(1, `${long}2`, long)],
    [`${long}.tsv`, ownerOf(1, long, `${long}2`)],
  ] as const
  for (const [i, [path, owner]] of all.entries()) {
    const parts = await files.parts(path, owner)
    expect(await parts.list()).toEqual([])
    for (const split of [`${long}${long} 1`, `${long}${long} 2`, "../../a*?", ".."]) await commit(parts, split, `${i}`)
  }
  expect(await readdir(folder)).toHaveLength(all.length)
  for (const [i, [path, owner]] of all.entries()) {
    expect(await textOf(await files.parts(path, owner))).toBe(`${i}`.repeat(4))
    if (i % 2 === 0) await files.discardParts(path, owner)
  }
  expect(await readdir(folder)).toHaveLength(all.length / 2)
  await files.discardParts("no/such/folder/x", ownerOf(1))
})
