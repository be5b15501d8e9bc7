import { expect, test } from "bun:test"
import { sql } from "drizzle-orm"
import { Effect, Layer } from "effect"
import postgresClient from "postgres"
import { StoreDatabase } from "../../core/store/database.ts"
import { migrationsFor } from "../../core/store/migrations/index.ts"
import { postgres } from "../../scripts/services/services.ts"
import { postgresDatabaseLayer } from "./postgres-database.ts"
import type { PostgresStoreSettings } from "./postgres-settings.ts"

const known = migrationsFor("postgres").length

async function place(more: Partial<PostgresStoreSettings> = {}) {
  const { host, port, user, password, caCertificate, ...server } = await postgres()
  const database = await server.createDatabase("store")
  return { settings: { host, port, user, password, database, ...more }, url: server.urlOf(database), caCertificate }
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = postgresClient(url, { max: 1, onnotice: () => {} })
  try {
    return await client.unsafe(text).simple()
  } finally {
    await client.end({ timeout: 1 })
  }
}

function open<A>(
  settings: PostgresStoreSettings,
  work: (database: StoreDatabase["Service"]) => Effect.Effect<A, unknown>,
) {
  const program = Effect.gen(function* () {
    return yield* work(yield* StoreDatabase)
  })
  return Effect.runPromise(program.pipe(Effect.provide(Layer.fresh(postgresDatabaseLayer(settings)))))
}

const refused = (settings: PostgresStoreSettings) =>
  Effect.runPromise(Effect.flip(Layer.build(postgresDatabaseLayer(settings)).pipe(Effect.scoped)))

const ready = () => Effect.succeed("ready")

test("postgres-database says why it cannot open the store, and never the password", async () => {
  const { settings } = await place()
  const cases = [
    [{ ...settings, password: "hunter2" }, "authentication", "Check user and password of the store"],
    [{ ...settings, database: "nowhere" }, "missing", "Make the database, or correct its name in the URL of the store"],
    [{ ...settings, port: 1 }, "connection", "Check that the PostgreSQL server runs and listens on this host and port"],
    [{ ...settings, tls: "verify" as const }, "connection", undefined],
  ] as const
  for (const [wrong, reason, hint] of cases) {
    const error = await refused(wrong)
    expect(error).toMatchObject({ _tag: "StoreError", reason, ...(hint === undefined ? {} : { hint }) })
    expect(error.message).toStartWith(`Cannot open the store in PostgreSQL 127.0.0.1:${wrong.port}/${wrong.database}`)
    expect(Bun.inspect(error)).not.toMatch(/hunter2|"headrace"/)
  }
})

test("postgres-database encrypts, with or without a look at the certificate", async () => {
  const { settings, caCertificate } = await place()
  const isEncrypted = (database: StoreDatabase["Service"]) =>
    database.read(({ rows }) => rows<{ ssl: boolean }>(sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`))
  for (const tls of [{ tls: "require" }, { tls: "verify", tlsCa: caCertificate! }] as const)
    expect((await open({ ...settings, ...tls }, isEncrypted))[0]?.ssl).toBe(true)
})

test("postgres-database is made by one of several servers that start at once, in the schema that is wanted", async () => {
  const { settings, url } = await place({ schema: `My "own"` })
  const opened = await Promise.all(Array.from({ length: 4 }, () => open(settings, ready)))
  expect(opened).toEqual(Array(4).fill("ready"))
  expect(await query(url, `SELECT version FROM "My ""own""".store_version`)).toMatchObject([{ version: `${known}` }])
  expect(await query(url, "SELECT tablename FROM pg_tables WHERE schemaname IN ('public', 'headrace')")).toHaveLength(0)
})

test("postgres-database refuses a store of a newer version, and one whose schema it may not make", async () => {
  const { settings, url } = await place()
  await open(settings, ready)
  await query(url, "UPDATE headrace.store_version SET version = 1000")
  expect(await refused(settings)).toMatchObject({
    reason: "unsupported",
    message: `Cannot use the store in schema "headrace": it is of version 1000, this Headrace knows ${known}`,
  })
  const role = `guest_${crypto.randomUUID().slice(0, 8)}`
  await query(url, `CREATE ROLE ${role} LOGIN PASSWORD 'guest'`)
  const guest = { ...settings, user: role, password: "guest", schema: "theirs" }
  expect(await refused(guest)).toMatchObject({ reason: "permission", code: "42501" })
  await query(url, `CREATE SCHEMA theirs AUTHORIZATION ${role}`)
  expect(await open(guest, ready)).toBe("ready")
})

test("postgres-database leaves no half of a step when making the store fails", async () => {
  const { settings, url } = await place()
  await query(url, "CREATE SCHEMA headrace; CREATE TABLE headrace.jobs (x INTEGER)")
  expect(await refused(settings)).toMatchObject({ code: "42P07" })
  expect(await query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'headrace'")).toMatchObject([
    { tablename: "jobs" },
  ])
})

test("postgres-database keeps text that PostgreSQL has no room for", async () => {
  const { settings } = await place()
  const text = "a\0b\ud800c\ufdd0"
  const found = await open(settings, (database) =>
    Effect.gen(function* () {
      yield* database.write(async ({ insert, tables }) => {
        await insert(tables.settings).values({ key: text, value: text, updatedAt: 1 })
      })
      return yield* database.read(async ({ select, tables, rows }) => [
        ...(await select({ key: tables.settings.key, value: tables.settings.value }).from(tables.settings)),
        ...(await rows(sql`SELECT key FROM settings WHERE key = ${text}`)),
      ])
    }),
  )
  expect(found).toEqual([{ key: text, value: text }, expect.objectContaining({ key: text })])
})

test("postgres-database goes on when its connections were cut", async () => {
  const { settings, url } = await place({ connections: 2 })
  const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'headrace store' AND datname = '${settings.database}'`
  await open(settings, (database) =>
    Effect.gen(function* () {
      const one = database.read(({ rows }) => rows(sql`SELECT 1 AS one`))
      yield* one
      expect(yield* Effect.promise(() => query(url, kill))).not.toHaveLength(0)
      const during = database.write(async ({ rows }) => {
        await rows(sql`SELECT 1`)
        await query(url, kill)
        await rows(sql`SELECT 1`)
      })
      expect(yield* Effect.flip(Effect.retry(during, { times: 0 }))).toMatchObject({ reason: "connection" })
      expect(yield* Effect.retry(one, { times: 3 })).toHaveLength(1)
    }),
  )
})
