import { describe, expect, test } from "bun:test"
import { Effect } from "effect"
import { storePlaces } from "../../../runtime/store/testdata/store-databases.ts"
import { StoreDatabase } from "../../store/database.ts"
import { makeId } from "../id.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { aKey, audited, Place, type PlaceServices, person } from "../testdata/place.ts"
import { FlowLibrary } from "./flow-library.ts"

const key = await aKey()
const refusalOf = <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.map(Effect.flip(work), (error) => error as unknown)
const read = (dataSource: unknown, more = {}) => ({
  id: "read",
  use: "postgres-input",
  config: { dataSource, ...more },
})
const write = (dataSource: unknown) => ({ id: "write", use: "postgres-output", config: { dataSource, table: "t" } })
const text = (parts: object) => JSON.stringify({ version: 1, steps: [], ...parts })
const source = (name: string) => ({
  ...{ name, type: "postgres", description: "", concurrency: null },
  prod: { host: "db", database: "d", user: "u", password: "geheim" },
})

describe.each(storePlaces)("flow-library in %s", (_, makePlace) => {
  function use<A, E>(work: (at: Place) => Effect.Effect<A, E, PlaceServices>): () => Promise<void> {
    return async () => {
      await using at = new Place(await makePlace(), key)
      await at.run(work(at))
    }
  }

  test(
    "keeps a document to the letter, finished or not, with everything beside it",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        const document =
          '\uFEFF{\r\n  "version" : 1, "version": 1.0,\t"stepz": [ ],\n  "x": "é\ud83d\ude00 \\u0000 \\ud800" }\n\n'
        const draft = { name: "Täglich – 日報", folder: "/a/b/", document, properties: { retries: 3 }, remark: "first" }
        const saved = yield* library.create(anna, draft)
        expect(saved).toMatchObject({
          ...{ name: "Täglich – 日報", folder: "a/b", document, version: 1, owner: anna.id, updatedBy: "anna" },
          properties: { priority: 5, timeoutHours: 0, retries: 3, retryMinutes: 5, onCrash: "resume", concurrency: 1 },
        })
        expect(saved.hash).toMatch(/^[\da-f]{64}$/)
        expect(yield* library.get("Täglich – 日報")).toEqual(saved)
        expect(yield* library.get("Täglich – 日報".normalize("NFD"))).toEqual(saved)
        expect(yield* library.byId(saved.id)).toEqual(saved)
        expect(yield* library.versions(saved.name)).toEqual([{ version: 1, remark: "first", author: "anna", at: 0 }])
        const faults = yield* library.faults(document)
        expect(faults.map(({ message }) => message).join("\n")).toContain('There is no option "stepz"')
        expect((yield* audited).map(({ action, subjectName }) => [action, subjectName])).toEqual([
          ["flow.created", "Täglich – 日報"],
        ])
      }),
    ),
  )

  test(
    "refuses what cannot be read, and says where it breaks off",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        const deep = `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`
        const cases: readonly (readonly [string, string])[] = [
          ['{\n  "version": 1,\n}', 'Line 3, column 1: a comma stands before "}"'],
          ["", "Line 1, column 1: the document ends"],
          ["[]", "The document is no JSON object"],
          ["null", "The document is no JSON object"],
          [`{"a": "${"x".repeat(500_001)}"}`, "the most is 500000"],
          [deep, "nested too deeply"],
          ['{"a":"\ud800"}', "broken character"],
          [text({ name: "other" }), 'The document calls itself "other"'],
          [text({ name: 7 }), "The document calls itself 7"],
        ]
        for (const [document, message] of cases) {
          const refusal = yield* refusalOf(library.create(anna, { name: "orders", document }))
          expect(refusal).toMatchObject({ message: expect.stringContaining(message), problems: [{}] })
        }
        expect((yield* library.list({ limit: 10 })).items).toEqual([])
        yield* library.create(anna, { name: "orders", document: text({ name: "orders" }) })
        yield* library.create(anna, { name: "most", document: `{"a": "${"x".repeat(499_991)}"}` })
      }),
    ),
  )

  test(
    "keeps names apart that somebody could take for something else",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        for (const name of [
          ...[
            "",
            " a",
            "a ",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a|b",
            "a:b",
            "a?b",
            "a<b",
            "a>b",
            "a*b",
            'a"b',
            "a\nb",
            "a\0b",
          ],
          ...["a\u202Eb", "a\uFEFFb", "x".repeat(65), "a\u2028b", "\ud800"],
        ])
          expect([name, yield* refusalOf(library.create(anna, { name, document: "{}" }))]).toMatchObject([
            name,
            { reason: "invalid", problems: [{ pointer: "/name" }] },
          ])
        for (const folder of ["a//b", "../a", "a/..", "a/b:c", "x".repeat(257)])
          expect(yield* refusalOf(library.create(anna, { name: "x", folder, document: "{}" }))).toMatchObject({
            problems: [{ pointer: "/folder" }],
          })
        const odd = [
          "Robert'); DROP TABLE flows; --",
          "v",
          "${name}",
          "%",
          "_",
          "__proto__",
          "constructor",
          "😀".repeat(64),
        ]
        for (const name of odd) yield* library.create(anna, { name, document: "{}" })
        for (const name of odd) expect((yield* library.get(name)).name).toBe(name)
        for (const properties of [{ priority: 0 }, { retries: 11 }, { retryMinutes: 1.5 }, { timeoutHours: 169 }])
          expect(yield* refusalOf(library.create(anna, { name: "x", document: "{}", properties }))).toMatchObject({
            problems: [{ pointer: `/properties/${Object.keys(properties)[0]}` }],
          })
        const long = { description: "x".repeat(1001), remark: "x".repeat(129) }
        for (const [field, value] of Object.entries(long))
          expect(yield* refusalOf(library.create(anna, { name: "x", document: "{}", [field]: value }))).toMatchObject({
            problems: [{ pointer: `/${field}` }],
          })
      }),
    ),
  )

  test(
    "makes a version of every save, compares any two, and restores one as a new one",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        const otto = yield* person("otto")
        const first = text({ steps: [{ id: "a", use: "sequence-input" }] })
        const second = text({ steps: [{ id: "a", use: "rows-input" }], settings: { parallel: 2 } })
        const { id } = yield* library.create(anna, { name: "orders", folder: "a", description: "d", document: first })
        yield* library.update(otto, "orders", 1, { name: "orders", document: second, remark: "faster" })
        const renamed = yield* library.update(anna, "orders", 2, { name: "bills", document: second })
        expect(renamed).toMatchObject({
          id,
          name: "bills",
          folder: "a",
          description: "d",
          version: 3,
          updatedBy: "anna",
        })
        expect(yield* refusalOf(library.get("orders"))).toMatchObject({ reason: "missing" })
        const restored = yield* library.restore(otto, "bills", 3, 1)
        expect(restored).toMatchObject({ id, version: 4, document: first, name: "bills" })
        expect(yield* library.versions("bills")).toMatchObject([
          { version: 4, remark: "Restores version 1", author: "otto" },
          { version: 3, remark: "" },
          { version: 2, remark: "faster", author: "otto" },
          { version: 1 },
        ])
        expect(yield* library.versions("bills", { before: 3, limit: 1 })).toMatchObject([{ version: 2 }])
        expect(yield* library.version("bills", 2)).toMatchObject({ document: second, version: 2, updatedBy: "otto" })
        expect(yield* refusalOf(library.version("bills", 9))).toMatchObject({ reason: "missing" })
        expect(yield* library.compare("bills", 1, 2)).toMatchObject({
          steps: { changed: [{ id: "a", changes: [{ pointer: "/steps/0/use", after: "rows-input" }] }] },
          settings: [{ pointer: "/settings", after: { parallel: 2 } }],
        })
        expect((yield* library.compare("bills", 1, 4)).steps.changed).toEqual([])
        expect(yield* refusalOf(library.compare("bills", 1, 9))).toMatchObject({ reason: "missing" })
        const actions = (yield* audited).map(({ action, detail }) => [action, detail.version, detail.from])
        expect(actions.toSorted()).toEqual([
          ["flow.created", undefined, undefined],
          ["flow.saved", 2, undefined],
          ["flow.saved", 3, "orders"],
          ["flow.saved", 4, undefined],
        ])
      }),
    ),
  )

  test(
    "lets the faster of two saves win, and shows it to the other",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        yield* library.create(anna, { name: "orders", document: "{}" })
        const save = (parallel: number) =>
          library.update(anna, "orders", 1, { name: "orders", document: text({ settings: { parallel } }) })
        const results = yield* Effect.all(
          [1, 2, 3].map((n) => Effect.result(save(n))),
          { concurrency: "unbounded" },
        )
        expect(results.filter(({ _tag }) => _tag === "Success")).toHaveLength(1)
        const { document } = yield* library.get("orders")
        for (const result of results)
          if (result._tag === "Failure")
            expect(result.failure).toMatchObject({ reason: "conflict", current: { version: 2, document } })
        expect(yield* library.versions("orders")).toHaveLength(2)
        yield* library.create(anna, { name: "bills", document: "{}" })
        expect(yield* refusalOf(library.create(anna, { name: "bills", document: "{}" }))).toMatchObject({
          reason: "conflict",
          message: 'A flow "bills" is there already',
        })
        const renamed = library.update(anna, "bills", 1, { name: "orders", document: "{}" })
        expect(yield* refusalOf(renamed)).toMatchObject({ reason: "conflict" })
        const stale = library.restore(anna, "orders", 1, 1)
        expect(yield* refusalOf(stale)).toMatchObject({ reason: "conflict" })
      }),
    ),
  )

  test(
    "is not removed while a run of it goes on, and takes its versions along",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const database = yield* StoreDatabase
        const anna = yield* person("anna")
        const { id } = yield* library.create(anna, { name: "orders", document: "{}" })
        yield* database.write(async ({ insert, tables: { jobs } }) => {
          await insert(jobs).values({
            ...{ id: makeId(1), flow: id, flowName: "orders", flowVersion: 1, environment: "prod", dataSources: [] },
            ...{
              cause: { kind: "person", id: "", name: "" },
              account: "",
              parameters: {},
              bizdate: "",
              scheduledAt: "",
            },
            ...{ priority: 5, status: "queued", start: { kind: "run" }, retry: 0, requestedAt: 1, dueAt: 1 },
          })
        })
        expect(yield* refusalOf(library.remove(anna, "orders", 1))).toMatchObject({
          reason: "conflict",
          message: expect.stringContaining("is queued"),
        })
        yield* database.write(async ({ update, tables }) => void (await update(tables.jobs).set({ status: "failed" })))
        expect(yield* refusalOf(library.remove(anna, "orders", 2))).toMatchObject({ reason: "conflict" })
        yield* library.remove(anna, "orders", 1)
        expect(yield* refusalOf(library.remove(anna, "orders", 1))).toMatchObject({ reason: "missing" })
        expect(yield* database.read(({ $count, tables }) => $count(tables.flowVersions))).toBe(0)
      }),
    ),
  )

  test(
    "finds flows by text and folder, page by page",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        const flows = [
          ["Orders", "shop"],
          ["order 100%", "shop/daily"],
          ["bills", "shops"],
          ["a_b", ""],
          ["axb", "SHOP"],
        ] as const
        for (const [name, folder] of flows)
          yield* library.create(anna, {
            name,
            folder,
            document: "{}",
            description: name === "bills" ? "all ORDERS" : "",
          })
        const names = (filter: object) =>
          Effect.map(library.list({ limit: 10, ...filter }), ({ items }) => items.map(({ name }) => name).toSorted())
        expect(yield* names({ text: "order" })).toEqual(["Orders", "bills", "order 100%"])
        expect(yield* names({ text: "0%" })).toEqual(["order 100%"])
        expect(yield* names({ text: "a_b" })).toEqual(["a_b"])
        expect(yield* names({ text: "' OR 1=1 --" })).toEqual([])
        const inShop = yield* names({ folder: "shop" })
        expect(inShop).toEqual(["Orders", "order 100%"])
        const first = yield* library.list({ limit: 3 })
        expect(first.items).toHaveLength(3)
        expect(first.items[0]).not.toHaveProperty("document")
        const second = yield* library.list({ limit: 3, after: first.next! })
        expect(second.next).toBeUndefined()
        expect([...first.items, ...second.items].map(({ name }) => name).toSorted()).toEqual(
          flows.map(([name]) => name).toSorted(),
        )
      }),
    ),
  )

  test(
    "tells the data sources of a document, and lets nobody save what they have no grant for",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const eve = yield* person("eve")
        for (const name of ["shop", "stock"]) yield* registry.create(anna, source(name))
        const document = text({ steps: [read("shop"), read("shop"), write("stock"), { id: "c", use: "csv-input" }] })
        expect(yield* library.uses(document)).toEqual([
          { name: "shop", access: "read" },
          { name: "stock", access: "write" },
        ])
        yield* library.create(anna, { name: "orders", document })
        const refused = { reason: "forbidden", problems: [{ message: 'No data source "shop" to read from' }, {}] }
        expect(yield* refusalOf(library.create(eve, { name: "mine", document }))).toMatchObject(refused)
        // What eve does to somebody else's flow runs with his grants, so she needs them too.
        const changed = text({ steps: [read("shop", { query: "SELECT * FROM secrets" }), write("stock")] })
        const save = (more: object) => library.update(eve, "orders", 1, { name: "orders", document, ...more })
        expect(yield* refusalOf(save({ document: changed }))).toMatchObject(refused)
        yield* save({ description: "the same document" })
        yield* library.update(anna, "orders", 2, { name: "orders", document: "{}" })
        expect(yield* refusalOf(library.restore(eve, "orders", 3, 1))).toMatchObject(refused)
        yield* registry.grant(anna, "shop", { user: eve.id, access: "read", expiresAt: null })
        yield* registry.grant(anna, "stock", { user: eve.id, access: "write", expiresAt: null })
        yield* library.create(eve, { name: "mine", document })
      }),
    ),
  )

  test(
    "takes no data source from a parameter, from an unknown component, or from what is no flow",
    use(() =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const eve = yield* person("eve")
        yield* registry.create(anna, source("shop"))
        for (const name of ["${source}", "shop${x}", "$[yyyy]"])
          expect(
            yield* refusalOf(library.create(anna, { name: "x", document: text({ steps: [read(name)] }) })),
          ).toMatchObject({
            reason: "invalid",
            problems: [{ step: "read", pointer: "/steps/0/config/dataSource" }],
          })
        const unknown = text({ steps: [{ id: "a", use: "later-input", config: { dataSource: "shop" } }] })
        expect(yield* refusalOf(library.create(eve, { name: "x", document: unknown }))).toMatchObject({
          reason: "forbidden",
          problems: [{}, {}],
        })
        const none =
          '{"__proto__":{"steps":[1]},"steps":[null,7,"x",{"use":7},{"use":"__proto__","config":{"__proto__":{}}}]}'
        expect(yield* library.uses(none)).toEqual([])
        const odd =
          '{"steps":[{"use":"postgres-input","config":{"__proto__":{"dataSource":"shop"}}},{"use":"toString"}]}'
        expect(yield* library.uses(odd)).toEqual([])
        for (const document of [none, odd]) expect((yield* library.faults(document)).length).toBeGreaterThan(0)
        yield* library.create(eve, { name: "odd", document: odd })
      }),
    ),
  )

  test(
    "lets flows use files in open folders only",
    use((at) =>
      Effect.gen(function* () {
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        const steps = (input: unknown, output: unknown) => [
          { id: "in", use: "csv-input", config: { path: input } },
          { id: "out", use: "csv-output", config: { path: output } },
        ]
        const fine = text({ steps: steps(["a/*.csv", `${at.home}/files/b.csv`], "out-${bizdate}.csv") })
        expect(yield* library.files(fine)).toMatchObject([
          { step: "in", path: "a/*.csv", access: "read", pointer: "/steps/0/config/path/0" },
          { step: "in", access: "read" },
          { step: "out", path: "out-${bizdate}.csv", access: "write" },
        ])
        yield* library.create(anna, { name: "fine", document: fine })
        for (const path of [
          "/etc/passwd",
          "../state.db",
          `${at.home}/master.key`,
          "/etc/${file}",
          "{a/b/c,../../..}/x",
        ])
          expect(
            yield* refusalOf(library.create(anna, { name: "x", document: text({ steps: steps("a", path) }) })),
          ).toMatchObject({
            reason: "forbidden",
            problems: [{ step: "out", pointer: "/document/steps/1/config/path" }],
          })
      }),
    ),
  )
})
