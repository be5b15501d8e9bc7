import { describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { storePlaces } from "../../../runtime/store/testdata/store-databases.ts"
import { StoreDatabase } from "../../store/database.ts"
import { system } from "../access/actor.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { aKey, audited, everything, Place, type PlaceServices, person } from "../testdata/place.ts"
import { Resealers } from "./resealers.ts"
import { type SourceDraft, SourceRegistry } from "./source-registry.ts"

const key = await aKey()
const SECRET = "geheim-geheim"
const place = { host: "db.example.com", database: "shop", user: "etl" }
const shop: SourceDraft = {
  ...{ name: "shop", type: "postgres", description: "Orders", concurrency: null },
  prod: { ...place, password: SECRET },
}
const withProd = (prod: Record<string, unknown>, more: Partial<SourceDraft> = {}) => ({ ...shop, ...more, prod })
const refusalOf = <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.map(Effect.flip(work), (error) => error as unknown)
const HOUR = 3_600_000

describe.each(storePlaces)("source-registry in %s", (_, makePlace) => {
  function use<A, E>(work: (at: Place) => Effect.Effect<A, E, PlaceServices>): () => Promise<void> {
    return async () => {
      await using at = new Place(await makePlace(), key)
      await at.run(work(at))
    }
  }

  test(
    "keeps secrets sealed, shows only that they are there, and opens them for a worker",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const shown = yield* registry.create(anna, {
          ...shop,
          dev: { ...place, host: "dev.example.com", password: "dev" },
        })
        expect(shown).toMatchObject({
          ...{ name: "shop", type: "postgres", version: 1, owner: anna.id, canRead: true, canWrite: true },
          ...{ prod: place, dev: { ...place, host: "dev.example.com" }, updatedBy: "anna" },
          secrets: { prod: ["password"], dev: ["password"] },
        })
        expect(yield* registry.get(anna, "shop")).toEqual(shown)
        expect(yield* registry.list(anna)).toEqual([shown])
        const kept = yield* everything
        expect(kept).toContain("hrs1.")
        expect(kept).not.toContain(SECRET)
        expect(JSON.stringify(shown)).not.toMatch(/hrs1|geheim/)
        const [open] = yield* registry.open(["shop"], "prod")
        expect(open).toMatchObject({ name: "shop", type: "postgres", settings: { port: 5432, password: SECRET } })
        expect(open?.secrets).toEqual([SECRET])
        const [dev] = yield* registry.open(["shop"], "dev")
        expect(dev?.settings).toMatchObject({ host: "dev.example.com", password: "dev" })
        expect((yield* audited).map(({ action, actorName }) => [action, actorName])).toEqual([
          ["source.created", "anna"],
        ])
      }),
    ),
  )

  test(
    "runs tests on production where there is nothing for development",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        yield* registry.create(yield* person("anna"), shop)
        const [dev] = yield* registry.open(["shop", "shop"], "dev")
        expect(dev?.settings.password).toBe(SECRET)
        expect(yield* refusalOf(registry.open(["shop", "stock"], "prod"))).toMatchObject({
          reason: "missing",
          message: 'There is no data source "stock"',
        })
      }),
    ),
  )

  test(
    "keeps a secret that is left out, removes an empty one, and takes a new one",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const password = (version: number, prod: object) =>
          Effect.gen(function* () {
            yield* registry.update(anna, "shop", version, withProd({ ...prod }, { description: `at ${version}` }))
            const [open] = yield* registry.open(["shop"], "prod")
            return open?.settings.password
          })
        yield* registry.create(anna, shop)
        expect(yield* password(1, place)).toBe(SECRET)
        expect(yield* password(2, { ...place, password: "new" })).toBe("new")
        expect(yield* password(3, place)).toBe("new")
        expect(yield* password(4, { ...place, password: "" })).toBeUndefined()
        expect(yield* password(5, place)).toBeUndefined()
        const shown = yield* registry.get(anna, "shop")
        expect(shown).toMatchObject({ version: 6, secrets: { prod: [], dev: [] } })
      }),
    ),
  )

  test(
    "gives no secret away to who leads the connection elsewhere",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        yield* registry.create(anna, shop)
        for (const change of [
          ...[{ host: "evil.example.com" }, { port: 6666 }, { user: "other" }, { database: "other" }],
          ...[{ tls: "off" }, { tlsCa: "-----BEGIN CERTIFICATE-----" }],
        ]) {
          const draft = withProd({ ...place, ...change })
          const refusals = [
            yield* refusalOf(registry.update(anna, "shop", 1, draft)),
            yield* refusalOf(registry.openDraft(anna, draft, "prod")),
            yield* refusalOf(registry.openDraft(anna, draft, "dev")),
          ]
          for (const refusal of refusals) {
            expect(refusal).toMatchObject({ reason: "invalid", problems: [{ pointer: "/prod/password" }] })
            expect(String((refusal as Error).message)).toContain('Enter "password" again')
          }
        }
        // The same address, spelt out.
        const open = yield* registry.openDraft(anna, withProd({ ...place, port: 5432, tls: "auto" }), "prod")
        expect(open.settings.password).toBe(SECRET)
        // Another type shares nothing, and development takes nothing from production.
        const mysql = yield* registry.openDraft(anna, withProd(place, { type: "mysql" }), "prod")
        expect(mysql.settings.password).toBeUndefined()
        const dev = yield* registry.openDraft(anna, { ...shop, dev: place }, "dev")
        expect(dev.settings.password).toBeUndefined()
        yield* registry.update(anna, "shop", 1, withProd({ ...place, host: "new.example.com", password: "known" }))
      }),
    ),
  )

  test(
    "lends nothing of a data source to strangers, however they ask",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const eve = yield* person("eve")
        yield* registry.create(anna, shop)
        const missing = { reason: "missing", message: 'There is no data source "shop"' }
        expect(yield* registry.list(eve)).toEqual([])
        expect(yield* refusalOf(registry.get(eve, "shop"))).toMatchObject(missing)
        expect(yield* refusalOf(registry.flows(eve, "shop"))).toMatchObject(missing)
        expect(yield* refusalOf(registry.update(eve, "shop", 1, shop))).toMatchObject(missing)
        expect(yield* refusalOf(registry.remove(eve, "shop", 1))).toMatchObject(missing)
        expect(yield* refusalOf(registry.grants(eve, "shop"))).toMatchObject(missing)
        const grant = { user: eve.id, access: "read", expiresAt: null } as const
        expect(yield* refusalOf(registry.grant(eve, "shop", grant))).toMatchObject(missing)
        const open = yield* registry.openDraft(eve, withProd(place), "prod")
        expect(open.settings.password).toBeUndefined()
        // With a grant he sees it, and may neither change it nor test it elsewhere with its secret.
        yield* registry.grant(anna, "shop", grant)
        expect(yield* registry.get(eve, "shop")).toMatchObject({ canRead: true, canWrite: false, prod: place })
        expect(yield* refusalOf(registry.update(eve, "shop", 1, shop))).toMatchObject({ reason: "forbidden" })
        expect(yield* refusalOf(registry.remove(eve, "shop", 1))).toMatchObject({ reason: "forbidden" })
        expect((yield* registry.openDraft(eve, withProd(place), "prod")).settings.password).toBeUndefined()
        const denied = (yield* audited).filter(({ action }) => action === "access.denied")
        expect(denied.length).toBeGreaterThan(1)
      }),
    ),
  )

  test(
    "grants until a day, and refuses all uses that are not granted at once",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const otto = yield* person("otto", "operator")
        const root = yield* person("root", "admin")
        yield* registry.create(anna, shop)
        const both = [
          { name: "shop", access: "read" as const },
          { name: "shop", access: "write" as const },
        ]
        for (const account of [anna.id, root.id, ""]) yield* registry.authorize(account, both)
        const refused = yield* refusalOf(registry.authorize(otto.id, [...both, { name: "none", access: "read" }]))
        expect(refused).toMatchObject({
          reason: "forbidden",
          problems: [
            { message: 'No data source "shop" to read from' },
            { message: 'No data source "shop" to write to' },
            { message: 'No data source "none" to read from' },
          ],
        })
        yield* registry.grant(anna, "shop", { user: otto.id, access: "read", expiresAt: HOUR })
        yield* registry.grant(anna, "shop", { user: otto.id, access: "write", expiresAt: null })
        yield* registry.authorize(otto.id, both)
        expect(yield* registry.grants(anna, "shop")).toMatchObject([
          { user: otto.id, access: "read", expiresAt: HOUR, grantedBy: anna.id },
          { user: otto.id, access: "write", expiresAt: null },
        ])
        yield* TestClock.adjust(HOUR)
        expect(yield* refusalOf(registry.authorize(otto.id, both))).toMatchObject({ problems: [{}] })
        const past = registry.grant(anna, "shop", { user: otto.id, access: "read", expiresAt: HOUR })
        expect(yield* refusalOf(past)).toMatchObject({ reason: "invalid" })
        const nobody = registry.grant(anna, "shop", { user: "nobody", access: "read", expiresAt: null })
        expect(yield* refusalOf(nobody)).toMatchObject({ reason: "missing" })
        yield* registry.revoke(anna, "shop", otto.id, "write")
        expect(yield* refusalOf(registry.authorize(otto.id, both))).toMatchObject({ problems: [{}, {}] })
        expect(yield* refusalOf(registry.revoke(anna, "shop", otto.id, "write"))).toMatchObject({ reason: "missing" })
        const database = yield* StoreDatabase
        yield* database.write(async ({ update, tables }) => void (await update(tables.users).set({ disabled: true })))
        // Whoever uses files only needs an account as well.
        for (const uses of [both, []])
          expect(yield* refusalOf(registry.authorize(root.id, uses))).toMatchObject({ reason: "forbidden" })
      }),
    ),
  )

  test(
    "lets the faster of two changes win, and shows it to the other",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        yield* registry.create(anna, shop)
        const results = yield* Effect.all(
          ["one", "two", "three"].map((description) =>
            Effect.result(registry.update(anna, "shop", 1, withProd(place, { description }))),
          ),
          { concurrency: "unbounded" },
        )
        expect(results.map(({ _tag }) => _tag).toSorted()).toEqual(["Failure", "Failure", "Success"])
        const { description } = yield* registry.get(anna, "shop")
        for (const result of results) {
          if (result._tag === "Failure")
            expect(result.failure).toMatchObject({ reason: "conflict", current: { version: 2, description } })
        }
        expect(JSON.stringify(results)).not.toContain("hrs1")
        expect(yield* refusalOf(registry.remove(anna, "shop", 1))).toMatchObject({ reason: "conflict" })
        expect(yield* refusalOf(registry.create(anna, shop))).toMatchObject({ reason: "conflict" })
        yield* registry.remove(anna, "shop", 2)
        expect(yield* refusalOf(registry.get(anna, "shop"))).toMatchObject({ reason: "missing" })
      }),
    ),
  )

  test(
    "stays while flows use it, and says which",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const library = yield* FlowLibrary
        const anna = yield* person("anna")
        yield* registry.create(anna, shop)
        const step = { id: "read", use: "postgres-input", config: { dataSource: "shop", table: "orders" } }
        const document = JSON.stringify({ version: 1, steps: [step] })
        yield* library.create(anna, { name: "orders", document })
        expect(yield* registry.flows(anna, "shop")).toEqual([{ flow: "orders", access: "read" }])
        const message = 'Data source "shop" cannot be removed: it is used by "orders"'
        expect(yield* refusalOf(registry.remove(anna, "shop", 1))).toMatchObject({ reason: "conflict", message })
        const renamed = registry.update(anna, "shop", 1, withProd(place, { name: "store" }))
        expect(yield* refusalOf(renamed)).toMatchObject({ reason: "conflict" })
        yield* library.remove(anna, "orders", 1)
        yield* registry.update(anna, "shop", 1, withProd(place, { name: "store" }))
        yield* registry.remove(anna, "store", 2)
      }),
    ),
  )

  test(
    "tells what is wrong with a draft by its place, and never a secret",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const cases: readonly (readonly [SourceDraft, string, string])[] = [
          [withProd(place, { name: "../x" }), "/name", "letters, digits"],
          [withProd(place, { name: "a'; DROP TABLE users; --" }), "/name", "letters, digits"],
          [withProd(place, { name: "x".repeat(65) }), "/name", "65 characters"],
          [withProd(place, { name: "" }), "/name", "needs a name"],
          [withProd(place, { type: "postgers" }), "/type", 'no database type "postgers"'],
          [withProd(place, { type: "csv-input" }), "/type", "no database type"],
          [withProd(place, { type: "__proto__" }), "/type", "no database type"],
          [withProd(place, { concurrency: 0 }), "/concurrency", "whole one from 1"],
          [withProd({ ...place, password: 12345 }), "/prod/password", "a string is wanted"],
          [withProd({ ...place, passwrod: SECRET }), "/prod/passwrod", 'no option "passwrod"'],
          [withProd({ host: "h", user: "u" }), "/prod/database", "is missing"],
          [withProd({ ...place, port: 70_000 }), "/prod/port", "the most is 65535"],
          [{ ...shop, dev: { host: "h" } }, "/dev/database", "is missing"],
          [withProd({ ...place, host: "169.254.169.254" }), "/prod/host", "denied by the rule"],
          [withProd({ ...place, host: "0xA9FEA9FE" }), "/prod/host", "denied by the rule"],
          [withProd({ ...place, host: "db.forbidden.example" }), "/prod/host", "denied by the rule"],
          [withProd({ ...place, host: "a,b" }), "/prod/host", "no host name"],
          [withProd({ ...place, host: { env: "DB_HOST" } }), "/prod", "cannot refer"],
          [withProd({ ...place, password: { file: "/etc/shadow" } }), "/prod", "cannot refer"],
        ]
        for (const [draft, pointer, message] of cases) {
          const tested = registry.openDraft(anna, draft, draft.dev === undefined ? "prod" : "dev")
          for (const work of [Effect.asVoid(registry.create(anna, draft)), Effect.asVoid(tested)]) {
            const refusal = yield* Effect.result(work)
            if (refusal._tag === "Success") {
              // A test of a connection asks for no name.
              expect([pointer, message]).toEqual([expect.stringMatching(/^\/(name|concurrency)$/), message])
              continue
            }
            expect(refusal.failure).toMatchObject({ reason: "invalid" })
            expect(refusal.failure).toMatchObject({
              problems: expect.arrayContaining([
                expect.objectContaining({ pointer, message: expect.stringContaining(message) }),
              ]),
            })
            expect(JSON.stringify(refusal.failure)).not.toMatch(/geheim|12345/)
          }
        }
        expect(yield* registry.list(anna)).toEqual([])
      }),
    ),
  )

  test(
    "opens no sealed text that somebody enters, moves or alters",
    use(() =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const database = yield* StoreDatabase
        const anna = yield* person("anna")
        yield* registry.create(anna, shop)
        yield* registry.create(anna, { ...shop, name: "copy", prod: { ...place, host: "evil.example.com" } })
        const [row] = yield* database.read(({ select, tables }) => select().from(tables.dataSources))
        const sealed = row?.settings.prod.password
        expect(sealed).toBeString()
        for (const option of ["password", "database", "tlsCa"]) {
          const stolen = registry.create(anna, withProd({ ...place, [option]: sealed }, { name: "stolen" }))
          expect(yield* refusalOf(stolen)).toMatchObject({ message: "Sealed text cannot be entered" })
        }
        // Whoever can write to the store can still not open it elsewhere.
        yield* database.write(
          async ({ update, tables }) =>
            void (await update(tables.dataSources).set({
              settings: {
                prod: { ...place, host: "evil.example.com", password: sealed },
                dev: { ...place, password: sealed },
              },
            })),
        )
        expect(yield* refusalOf(registry.open(["copy"], "prod"))).toMatchObject({ reason: "unavailable" })
        expect(yield* refusalOf(registry.open(["shop"], "dev"))).toMatchObject({ reason: "unavailable" })
      }),
    ),
  )

  test(
    "seals all secrets anew when the master key changes, and the old one is not needed any more",
    use((at) =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        yield* registry.create(anna, { ...shop, dev: { ...place, password: "dev" } })
        yield* registry.create(anna, withProd(place, { name: "bare" }))
        const newer = yield* Effect.promise(aKey)
        at.keys.unshift(newer)
        expect((yield* registry.open(["shop"], "prod"))[0]?.secrets).toEqual([SECRET])
        const resealers = yield* Resealers
        expect(yield* resealers.all).toEqual([{ what: "data sources", count: 2 }])
        expect(yield* registry.reseal(system)).toBe(0)
        at.keys.splice(1)
        expect((yield* registry.open(["shop"], "prod"))[0]?.secrets).toEqual([SECRET])
        expect((yield* registry.open(["shop"], "dev"))[0]?.secrets).toEqual(["dev"])
        expect((yield* registry.get(anna, "shop")).version).toBe(1)
        at.keys.splice(0, 1, key)
        expect(yield* refusalOf(registry.open(["shop"], "prod"))).toMatchObject({
          reason: "unavailable",
          message: expect.stringContaining(`master key ${newer.id} is not known`),
        })
      }),
    ),
  )

  test(
    "confines files to the folders that are open",
    use((at) =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const file = (path: string) => ({ ...shop, name: "file", type: "sqlite", prod: { path } })
        for (const path of [
          ...["/etc/passwd", "../state.db", ":memory:", "file:/etc/passwd?mode=ro", `${at.home}/state.db`, "a\0b"],
          `${at.home}/files/../master.key`,
        ])
          expect(yield* refusalOf(registry.create(anna, file(path)))).toMatchObject({
            reason: "invalid",
            problems: [{ pointer: "/prod/path" }],
          })
        yield* registry.create(anna, file("shop.db"))
        expect((yield* registry.open(["file"], "prod"))[0]?.settings.path).toBe(`${at.home}/files/shop.db`)
        at.policy = { ...at.policy, files: { ...at.policy.files, folders: [] } }
        expect(yield* refusalOf(registry.open(["file"], "prod"))).toMatchObject({ reason: "invalid" })
      }),
    ),
  )

  test(
    "lets administrators refer to the server's environment and files, others only where it is allowed",
    use((at) =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        const anna = yield* person("anna")
        const root = yield* person("root", "admin")
        mkdirSync(join(at.home, "secrets"))
        writeFileSync(join(at.home, "secrets/db"), `${SECRET}\n`)
        writeFileSync(join(at.home, "master.key"), "key")
        const referring = withProd({ ...place, port: { env: "DB_PORT" }, password: { file: "secrets/db" } })
        const shown = yield* registry.create(root, referring)
        expect(shown.prod).toEqual(referring.prod)
        const [open] = yield* registry.open(["shop"], "prod")
        expect(open).toMatchObject({ settings: { port: 6543, password: SECRET }, secrets: [SECRET] })
        const named = (name: string) => ({ ...referring, name })
        expect(yield* refusalOf(registry.create(anna, named("other")))).toMatchObject({ reason: "invalid" })
        at.policy = { ...at.policy, references: true }
        yield* registry.create(anna, named("other"))
        for (const password of [
          ...[{ env: "HEADRACE_MASTER_KEY" }, { file: "master.key" }, { file: `${at.home}/state.db` }],
          ...[{ env: "NONE" }, { file: "none/none" }, { env: "toString" }],
        ])
          expect(
            yield* refusalOf(registry.create(root, withProd({ ...place, password }, { name: "x" }))),
          ).toMatchObject({
            reason: "invalid",
          })
      }),
    ),
  )

  test(
    "forbids at the start of a run what the administrator has forbidden since",
    use((at) =>
      Effect.gen(function* () {
        const registry = yield* SourceRegistry
        yield* registry.create(yield* person("anna"), shop)
        at.policy = { ...at.policy, hosts: { allow: ["10.0.0.0/8"], deny: [] } }
        const [open] = yield* registry.open(["shop"], "prod")
        expect(open?.hosts).toEqual(at.policy.hosts)
        at.policy = { ...at.policy, hosts: { allow: [], deny: ["*.example.com:5432"] } }
        const refusal = yield* refusalOf(registry.open(["shop"], "prod"))
        expect(refusal).toMatchObject({ reason: "invalid", problems: [{ pointer: "/prod/host" }] })
        expect(String((refusal as Error).message)).toContain('Data source "shop": db.example.com, port 5432, is denied')
      }),
    ),
  )
})
