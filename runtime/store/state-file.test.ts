import { expect, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { StateFile } from "./state-file.ts"
import { aRun, TestStore } from "./testdata/store.ts"

test("state-file is made for its owner only, with its folder", async () => {
  using at = new TestStore()
  const { file } = await at.open()
  expect(statSync(at.path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(at.path)).mode & 0o777).toBe(0o700)
  expect(statSync(`${at.path}-wal`).mode & 0o777).toBe(0o600)
  expect(file.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" })
  expect(file.get("PRAGMA synchronous")).toEqual({ synchronous: 2 })
  file[Symbol.dispose]()
  chmodSync(at.path, 0o644)
  using again = await StateFile.open(at.path)
  expect(again.get("PRAGMA user_version")).toEqual({ user_version: 1 })
  expect(statSync(at.path).mode & 0o777).toBe(0o600)
})

test("state-file brings an older file to its version and leaves a copy of it as it was", async () => {
  using at = new TestStore()
  const first = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"
  const { file } = await at.open({ migrations: [first] })
  file[Symbol.dispose]()
  {
    using newer = await StateFile.open(at.path, { migrations: [first, "ALTER TABLE a ADD y INTEGER DEFAULT 2"] })
    expect(newer.all("SELECT * FROM a")).toEqual([{ x: 1, y: 2 }])
  }
  expect(readdirSync(dirname(at.path)).sort()).toEqual(["state.db", "state.db.v1"])
  expect(statSync(`${at.path}.v1`).mode & 0o777).toBe(0o600)
  using copy = await StateFile.open(`${at.path}.v1`, { migrations: [first] })
  expect(copy.all("SELECT * FROM a")).toEqual([{ x: 1 }])
})

test("state-file keeps the old version when a step of the way to the new one fails", async () => {
  using at = new TestStore()
  const first = "CREATE TABLE a (x INTEGER)"
  const { file } = await at.open({ migrations: [first] })
  file[Symbol.dispose]()
  const steps = [first, "CREATE TABLE b (x INTEGER)", "CREATE TABLE a (x INTEGER)"]
  await expect(StateFile.open(at.path, { migrations: steps })).rejects.toThrow("already exists")
  using same = await StateFile.open(at.path, { migrations: [first] })
  expect(same.all("SELECT name FROM sqlite_schema")).toEqual([{ name: "a" }])
})

test("state-file refuses a file of a newer version and does not touch it", async () => {
  using at = new TestStore()
  const { file } = await at.open({ migrations: ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE c (x)"] })
  file[Symbol.dispose]()
  const opening = StateFile.open(at.path)
  await expect(opening).rejects.toMatchObject({
    reason: "unsupported",
    message: `Cannot use the runs in "${at.path}": the file is of version 3, this Headrace knows 1`,
    hint: "Use the newer Headrace that wrote it, or let HEADRACE_HOME name another folder",
  })
  expect(existsSync(`${at.path}.v3`)).toBe(false)
})

test("state-file says that a file is none of ours, or that its folder is a file", async () => {
  using at = new TestStore()
  mkdirSync(dirname(at.path))
  writeFileSync(at.path, "this is a text, and a long one at that ".repeat(100))
  await expect(StateFile.open(at.path)).rejects.toMatchObject({
    reason: "protocol",
    message: `Cannot keep runs in "${at.path}": the file is damaged, or no store of Headrace`,
  })
  await expect(StateFile.open(`${at.path}/state.db`)).rejects.toMatchObject({
    reason: "config",
    hint: "Let HEADRACE_HOME name a folder that you may write to",
  })
})

test("state-file waits for another writer, and names it when that takes too long", async () => {
  using at = new TestStore()
  const { file } = await at.open()
  const { file: other, runs } = await at.open({ busyTimeoutMs: 50 })
  file.statement("BEGIN IMMEDIATE").run()
  await expect(runs.register(aRun("r1"))).rejects.toMatchObject({
    reason: "conflict",
    message: `Cannot keep runs in "${at.path}": another process has held it for too long`,
  })
  file.statement("COMMIT").run()
  await runs.register(aRun("r1"))
  expect(file.all("SELECT id FROM runs")).toEqual([{ id: "r1" }])
  for (const each of [file, other]) each[Symbol.dispose]()
})

test("state-file goes back to full durability after a write that may come later, also when it fails", async () => {
  using at = new TestStore()
  const { file } = await at.open()
  file.writeLater(() => file.run("CREATE TABLE a (x INTEGER)"))
  expect(file.get("PRAGMA synchronous")).toEqual({ synchronous: 2 })
  expect(() => file.writeLater(() => file.run("CREATE TABLE a (x INTEGER)"))).toThrow("already exists")
  expect(file.get("PRAGMA synchronous")).toEqual({ synchronous: 2 })
  expect(file.all("SELECT * FROM a")).toEqual([])
  file[Symbol.dispose]()
})
