import { afterAll, beforeAll, expect, test } from "bun:test"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { Compression } from "../../core/contract/index.ts"
import { fileFailure } from "./file-failure.ts"
import { makeFiles } from "./files.ts"

let base = ""
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "headrace-files-"))
  for (const folder of ["in/2024/01", "in/2024/02", "in/.hidden"]) await mkdir(join(base, folder), { recursive: true })
  for (const path of ["in/a.csv", "in/b.csv", "in/c.tsv", "in/[1].csv", "in/1.csv", "in/.d.csv", "in/x{y}.csv"]) {
    await writeFile(join(base, path), path)
  }
  for (const path of ["2024/01/jan.csv", "2024/02/feb.csv.gz", ".hidden/e.csv"])
    await writeFile(join(base, "in", path), path)
  await symlink(join(base, "in"), join(base, "in/2024/loop"))
  await symlink(join(base, "in/a.csv"), join(base, "in/link.csv"))
})
afterAll(() => rm(base, { recursive: true, force: true }))

async function list(pattern: string): Promise<string[]> {
  return (await makeFiles({ base }).list(pattern)).map((file) => file.path.slice(base.length + 1))
}

async function readAll(path: string, compression?: Compression): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of makeFiles({ base }).read(path, compression && { compression })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Bytes that do not compress well, the same in every run. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 7
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 27
  }
  return bytes
}

test("files lists what a pattern matches, sorted, with its size", async () => {
  expect(await list("in/*.csv")).toEqual([
    "in/1.csv",
    "in/[1].csv",
    "in/a.csv",
    "in/b.csv",
    "in/link.csv",
    "in/x{y}.csv",
  ])
  expect(await list("in/?.*")).toEqual(["in/1.csv", "in/a.csv", "in/b.csv", "in/c.tsv"])
  expect(await list("in/[!a-b1].{csv,tsv}")).toEqual(["in/c.tsv"])
  expect(await list("in/{a,{b,c}}.{csv,tsv}")).toEqual(["in/a.csv", "in/b.csv", "in/c.tsv"])
  expect(await list("./in/../in/*/0[12]/*")).toEqual(["in/2024/01/jan.csv", "in/2024/02/feb.csv.gz"])
  expect(await list("in/.*.csv")).toEqual(["in/.d.csv"])
  expect(await makeFiles({ base: "/nowhere" }).list(join(base, "in/2024/01/*"))).toEqual([
    { path: join(base, "in/2024/01/jan.csv"), bytes: 15, modifiedAt: expect.any(String) },
  ])
  await utimes(join(base, "in/2024/01/jan.csv"), 1_700_000_000, 1_700_000_000.1239)
  expect((await makeFiles({ base }).list("in/2024/01/*"))[0]?.modifiedAt).toBe("2023-11-14T22:13:20.123Z")
})

test("files descends with ** into folders, but not into hidden ones nor through links", async () => {
  expect(await list("in/**/*.csv")).toEqual([
    "in/1.csv",
    "in/2024/01/jan.csv",
    "in/[1].csv",
    "in/a.csv",
    "in/b.csv",
    "in/link.csv",
    "in/x{y}.csv",
  ])
  expect(await list("in/**/0?/**")).toEqual(["in/2024/01/jan.csv", "in/2024/02/feb.csv.gz"])
})

test("files prefers a file whose name looks like a pattern", async () => {
  expect(await list("in/[1].csv")).toEqual(["in/[1].csv"])
  expect(await list("in/x{y}.csv")).toEqual(["in/x{y}.csv"])
  expect(await list("in/[1a].csv")).toEqual(["in/1.csv", "in/a.csv"])
})

test("files lists nothing where nothing is, and refuses a folder", async () => {
  expect(await list("in/nothing-*.csv")).toEqual([])
  expect(await list("no/such/*.csv")).toEqual([])
  expect(await list("in/a.csv/*")).toEqual([])
  await expect(list("in")).rejects.toMatchObject({
    reason: "config",
    message: `Cannot list "${base}/in": it is a folder`,
  })
  await expect(list("in/[z-a].csv")).rejects.toMatchObject({ reason: "config" })
})

test("files reads bytes in chunks", async () => {
  const bytes = noise(700_000)
  await writeFile(join(base, "noise"), bytes)
  const sizes: number[] = []
  for await (const chunk of makeFiles({ base }).read("noise")) sizes.push(chunk.length)
  expect(sizes).toEqual([262_144, 262_144, 175_712])
  expect((await readAll("noise")).equals(bytes)).toBe(true)
})

test("files decompresses by name or on request, all members of an archive", async () => {
  const bytes = noise(900_000)
  const halves = [bytes.subarray(0, 500_000), bytes.subarray(500_000)]
  await writeFile(join(base, "n.csv.gz"), Buffer.concat(halves.map((half) => gzipSync(half))))
  await writeFile(join(base, "n.csv.zst"), Buffer.concat(halves.map((half) => zstdCompressSync(half))))
  await writeFile(join(base, "n.bin"), gzipSync(bytes))
  expect((await readAll("n.csv.gz")).equals(bytes)).toBe(true)
  expect((await readAll("n.csv.zst")).equals(bytes)).toBe(true)
  expect((await readAll("n.bin", "gzip")).equals(bytes)).toBe(true)
  expect((await readAll("n.csv.gz", "none")).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
})

test("files reads zstd frames of every shape, in chunks of every size", async () => {
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
  const run = zstdCompressSync(Buffer.alloc(400_000, 65), { params: { 201: 1 } })
  const empty = zstdCompressSync(Buffer.alloc(0))
  await writeFile(
    join(base, "shapes.zst"),
    Buffer.concat([skippable, run, empty, skippable, zstdCompressSync(noise(99))]),
  )
  expect((await readAll("shapes.zst")).equals(Buffer.concat([Buffer.alloc(400_000, 65), noise(99)]))).toBe(true)
})

test.each(["gz", "zst"])("files tells a truncated or damaged %s archive, naming it", async (extension) => {
  const pack = extension === "gz" ? gzipSync : (bytes: Buffer) => zstdCompressSync(bytes, { params: { 201: 1 } })
  const whole = Buffer.concat([pack(noise(300_000)), pack(noise(1000))])
  const path = join(base, `bad.csv.${extension}`)
  const damaged = Buffer.from(whole)
  damaged[40_000]! ^= 255
  for (const bytes of [whole.subarray(0, -3), whole.subarray(0, 50_000), whole.subarray(0, 2), damaged]) {
    await writeFile(path, bytes)
    const error = await readAll(`bad.csv.${extension}`).catch((thrown) => thrown)
    expect(error).toMatchObject({ reason: "data" })
    expect(error.message).toStartWith(`Cannot read "${path}": the archive is`)
  }
  await writeFile(path, Buffer.concat([whole, Buffer.from("and some text")]))
  await expect(readAll(`bad.csv.${extension}`)).rejects.toMatchObject({ reason: "data" })
  await writeFile(path, "id,name\n")
  await expect(readAll(`bad.csv.${extension}`)).rejects.toMatchObject({ reason: "data" })
})

test("files closes the descriptor when the consumer leaves early", async () => {
  await writeFile(join(base, "early"), noise(2_000_000))
  await writeFile(join(base, "early.gz"), gzipSync(noise(2_000_000)))
  await writeFile(join(base, "early.zst"), zstdCompressSync(noise(2_000_000)))
  const before = await openFiles()
  for (let round = 0; round < 5; round++) {
    for (const name of ["early", "early.gz", "early.zst"]) {
      for await (const chunk of makeFiles({ base }).read(name)) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
    }
  }
  expect(await openFiles()).toEqual(before)
})

/** What this process has open below the test's folder. */
async function openFiles(): Promise<string[]> {
  const { readlink } = await import("node:fs/promises")
  const open: string[] = []
  for (const descriptor of await readdir("/proc/self/fd")) {
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => "")
    if (target.startsWith(base)) open.push(target)
  }
  return open
}

test("files says why it cannot read", async () => {
  await expect(readAll("in/none.csv")).rejects.toMatchObject({
    reason: "missing",
    message: `Cannot read "${base}/in/none.csv": no such file or folder`,
  })
  await expect(readAll("in")).rejects.toMatchObject({ reason: "config" })
  await expect(readAll("in/a.csv/x")).rejects.toMatchObject({ reason: "config" })
  await expect(readAll("in/none.csv.zst")).rejects.toMatchObject({ reason: "missing" })
})

test("files shows a new file only when it is committed", async () => {
  const files = makeFiles({ base })
  const writer = await files.create("out/deep/er/new.csv")
  const memory = Buffer.from("id\n1\n")
  await writer.write(memory)
  memory.fill(0)
  expect(await files.exists("out/deep/er/new.csv")).toBe(false)
  expect((await readdir(join(base, "out/deep/er")))[0]).toMatch(/^\.new\.csv\.headrace-[0-9a-f]{12}\.part$/)
  await writer.commit()
  await writer.abort()
  expect(await readdir(join(base, "out/deep/er"))).toEqual(["new.csv"])
  expect(await readFile(join(base, "out/deep/er/new.csv"), "utf8")).toBe("id\n1\n")
})

test("files keeps the old file when writing is aborted, and its mode when it is replaced", async () => {
  const files = makeFiles({ base })
  const path = join(base, "kept.csv")
  await writeFile(path, "old")
  await chmod(path, 0o640)
  const aborted = await files.create("kept.csv")
  await aborted.write(Buffer.from("new"))
  await aborted.abort()
  await aborted.abort()
  expect(await readFile(path, "utf8")).toBe("old")
  await expect(aborted.write(Buffer.from("more"))).rejects.toThrow("it is aborted")
  const committed = await files.create("kept.csv")
  await committed.write(Buffer.from("new"))
  await committed.commit()
  expect(await readFile(path, "utf8")).toBe("new")
  expect((await stat(path)).mode & 0o777).toBe(0o640)
  expect((await readdir(base)).filter((name) => name.includes("kept"))).toEqual(["kept.csv"])
})

test("files compresses by name or on request", async () => {
  const files = makeFiles({ base })
  const bytes = noise(1_500_000)
  for (const [path, compression, unpack] of [
    ["packed.gz", "auto", gunzipSync],
    ["packed.zst", "auto", zstdDecompressSync],
    ["packed", "gzip", gunzipSync],
    ["plain.gz", "none", (data: Buffer) => data],
  ] as const) {
    const writer = await files.create(path, { compression })
    for (let at = 0; at < bytes.length; at += 200_000) await writer.write(bytes.subarray(at, at + 200_000))
    await writer.commit()
    expect(unpack(await readFile(join(base, path))).equals(bytes)).toBe(true)
  }
})

test("files removes a file, and is content when there is none", async () => {
  const files = makeFiles({ base })
  await writeFile(join(base, "gone"), "")
  expect(await files.exists("gone")).toBe(true)
  await files.remove("gone")
  await files.remove("gone")
  expect(await files.exists("gone")).toBe(false)
})

test("files refuses paths that the flow does not name", async () => {
  const files = makeFiles({ base, allow: (path, mode) => mode === "read" && path === join(base, "in/a.csv") })
  expect((await files.list("in/a.csv")).length).toBe(1)
  const refused = { reason: "permission" }
  await expect(files.list("in/*.csv")).rejects.toMatchObject(refused)
  await expect(files.read("in/b.csv")[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
  await expect(files.create("in/a.csv")).rejects.toMatchObject(refused)
  await expect(files.remove("in/a.csv")).rejects.toMatchObject(refused)
  await expect(files.exists("../x")).rejects.toMatchObject(refused)
})

test("files refuses to write over a folder", async () => {
  await expect(makeFiles({ base }).create("in")).rejects.toMatchObject({ reason: "config" })
  await expect(makeFiles({ base }).create("in/a.csv/x")).rejects.toMatchObject({ reason: "config" })
})

test.each([
  ["EACCES", "permission"],
  ["EPERM", "permission"],
  ["EROFS", "permission"],
  ["ENOSPC", "resource"],
  ["EDQUOT", "resource"],
  ["EMFILE", "resource"],
  ["EBUSY", "conflict"],
  ["EWHATEVER", "unknown"],
])("files classifies %s as %s", (code, reason) => {
  const failure = fileFailure("write", "/data/x", Object.assign(new Error("seen"), { code }))
  expect(failure as object).toMatchObject({ reason, code })
  expect(failure.message).toStartWith('Cannot write "/data/x": ')
})
