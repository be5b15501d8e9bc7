import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { tableFromArrays, tableToIPC } from "apache-arrow"
import type { Columns, Input, InputPlan, OpenRequest, Source, Split } from "../../core/contract/index.ts"
import { decodeConfig } from "../../core/host/config.ts"
import { testSession } from "../../scripts/testing/session.ts"
import arrowInput from "../arrow/arrow-input.ts"
import csvInput from "../csv/csv-input.ts"

let base = ""
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "headrace-inputs-"))
})
afterAll(() => rm(base, { recursive: true, force: true }))

type Kind = "csv" | "arrow"

/** One of the inputs over the files of a folder. */
class Reader {
  readonly folder: string
  readonly kind: Kind
  readonly #config: never

  constructor(folder: string, kind: Kind, pattern = "*") {
    this.folder = folder
    this.kind = kind
    const decoded = decodeConfig(this.#input.config, { path: `${pattern}.${kind}` })
    if ("problems" in decoded) throw new Error(JSON.stringify(decoded.problems))
    // The configuration is checked by the input's own schema.
    this.#config = decoded.config as never
  }

  get #input() {
    return (this.kind === "csv" ? csvInput : arrowInput) as unknown as Input<never>
  }

  plan(): Promise<InputPlan> {
    return this.#input.plan(this.#config, {}, testSession({ base: this.folder }))
  }

  async open(request: Partial<OpenRequest> = {}): Promise<Source> {
    const { columns: planned } = await this.plan()
    const columns = planned.map(({ name }) => name)
    const session = testSession({ base: this.folder })
    return this.#input.open(this.#config, { columns, planned, parallel: 1, ...request }, session)
  }

  async write(name: string, values: Record<string, readonly (number | string)[]>): Promise<void> {
    const names = Object.keys(values)
    const rows = Object.values(values)[0]!.map((_, row) => names.map((column) => values[column]![row]).join(","))
    const text = `${[names.join(","), ...rows].join("\n")}\n`
    await writeFile(this.at(name), this.kind === "csv" ? text : tableToIPC(tableFromArrays(values)))
  }

  at(name: string): string {
    return join(this.folder, `${name}.${this.kind}`)
  }
}

async function makeReader(kind: Kind, pattern?: string): Promise<Reader> {
  const reader = new Reader(await mkdtemp(join(base, `${kind}-`)), kind, pattern)
  await reader.write("a", { id: [1, 2] })
  await reader.write("b", { id: [3, 4] })
  return reader
}

async function idsOf(source: Source, splits: readonly Split[], folder: string): Promise<string[]> {
  const session = testSession({ base: folder })
  const ids: string[] = []
  for (const split of splits) {
    for await (const batch of source.read(split, session)) {
      if (batch.encoding !== undefined) throw new Error("no frame was asked for")
      for (let row = 0; row < batch.rows; row++) ids.push(session.batches.valueText(batch.vectors[0]!, row)!)
    }
  }
  return ids
}

/** Splits as a journal keeps them. */
function journaled(splits: readonly Split[]): readonly Split[] {
  return JSON.parse(JSON.stringify(splits))
}

const kinds = [["csv-input", "csv"] as const, ["arrow-input", "arrow"] as const]

test.each(kinds)("%s reads the files of an interrupted run again, and no others", async (_, kind) => {
  const reader = await makeReader(kind)
  await using first = await reader.open()
  expect(first.splits.map(({ id }) => id)).toEqual([`a.${kind}`, `b.${kind}`])
  const { size, mtime } = await stat(reader.at("a"))
  expect(first.splits[0]?.state).toEqual({ path: reader.at("a"), bytes: size, modifiedAt: mtime.toISOString() })
  await reader.write("0", { id: [0] })
  await reader.write("aa", { id: [9] })
  const splits = journaled(first.splits)
  await using again = await reader.open({ splits })
  expect(again.splits).toEqual(splits)
  expect(await idsOf(again, again.splits, reader.folder)).toEqual(["1", "2", "3", "4"])
})

test.each(kinds)("%s refuses a file that has changed since the run began, and names it", async (_, kind) => {
  const changes: readonly [(reader: Reader) => Promise<void>, (reader: Reader, bytes: number) => string][] = [
    [(reader) => rm(reader.at("b")), () => "it is gone"],
    [(reader) => reader.write("b", { id: [3, 4], more: [1, 2] }), (_, bytes) => `it had ${bytes} bytes and has`],
    [
      async (reader) => {
        await reader.write("b", { id: [3, 5] })
        await utimes(reader.at("b"), 1_700_000_000, 1_700_000_000)
      },
      () => "it was written at 2023-11-14T22:13:20.000Z, before at 2",
    ],
  ]
  for (const [change, seen] of changes) {
    const reader = await makeReader(kind)
    await using first = await reader.open()
    const { size } = await stat(reader.at("b"))
    const planned = (await reader.plan()).columns
    await change(reader)
    const refused = { reason: "data", hint: expect.any(String) }
    const error = await reader.open({ splits: journaled(first.splits), planned }).catch((thrown: Error) => thrown)
    expect(error).toMatchObject(refused)
    expect((error as Error).message).toStartWith(
      `Cannot read "${reader.at("b")}" as when the run began: ${seen(reader, size)}`,
    )
    const reading = idsOf(first, first.splits, reader.folder)
    await expect(reading).rejects.toMatchObject(refused)
    await expect(reading).rejects.toThrow(`Cannot read "${reader.at("b")}" as one state: ${seen(reader, size)}`)
  }
})

test.each(kinds)("%s fails when a file changes while it is read", async (_, kind) => {
  const reader = await makeReader(kind)
  await using source = await reader.open()
  const session = testSession({ base: reader.folder })
  const reading = (async () => {
    for await (const batch of source.read(source.splits[0]!, session)) {
      expect(batch.rows).toBe(2)
      await utimes(reader.at("a"), 1_700_000_000, 1_700_000_000)
    }
  })()
  await expect(reading).rejects.toThrow(`Cannot read "${reader.at("a")}" as one state: it was written at 2023-11-14`)
})

test.each(kinds)("%s does not take the name of a file that is gone for a pattern", async (_, kind) => {
  const reader = await makeReader(kind, "[[]ab]")
  await reader.write("[ab]", { id: [5] })
  await using first = await reader.open()
  expect(await idsOf(first, first.splits, reader.folder)).toEqual(["5"])
  await rm(reader.at("[ab]"))
  const planned: Columns = []
  const again = new Reader(reader.folder, kind).open({ splits: journaled(first.splits), planned })
  await expect(again).rejects.toThrow(`Cannot read "${reader.at("[ab]")}" as when the run began: it is gone`)
})

test.each(kinds)("%s refuses columns that are not what was planned, and says how they differ", async (_, kind) => {
  const reader = await makeReader(kind)
  const columns = (await reader.plan()).columns
  const [id] = columns
  const planned: Columns = [
    { name: "id", type: { kind: "uuid" }, nullable: id!.nullable },
    { name: "gone", type: { kind: "date" }, nullable: false },
  ]
  const type = kind === "csv" ? "int64" : "float64"
  const open = reader.open({ columns: ["id"], planned })
  await expect(open).rejects.toMatchObject({ reason: "data" })
  await expect(open).rejects.toThrow(
    `Cannot read "a.${kind}" as it was planned: column "id" was uuid and is ${type}; column "gone" was date without NULL and is gone`,
  )
  await reader.open({ columns: ["id"], planned: [{ ...id!, comment: "as it was" }] })
})

test.each(kinds)("%s tells files of one name in several folders apart", async (_, kind) => {
  const reader = await makeReader(kind, "**/*")
  await mkdir(join(reader.folder, "deep"))
  await reader.write("deep/a", { id: [7] })
  await using source = await reader.open()
  expect(source.splits.map(({ id }) => id)).toEqual([`a.${kind}`, `b.${kind}`, `deep/a.${kind}`])
})
