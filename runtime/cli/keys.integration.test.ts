import { afterAll, expect, test } from "bun:test"
import { relative } from "node:path"
import { Effect, Layer } from "effect"
import { SourceRegistry } from "../../core/server/sources/source-registry.ts"
import { person } from "../../core/server/testdata/place.ts"
import { Webhooks } from "../../core/server/triggers/webhooks.ts"
import { actors } from "../../web/testdata/frame.ts"
import { resealingLayer } from "../server/resealing.ts"
import { serveOptions } from "../server/serve-options.ts"
import { readSettings, Settings } from "../settings.ts"
import { Workplace } from "./testdata/headrace.ts"

const at = new Workplace()
afterAll(() => at[Symbol.dispose]())

const settings = readSettings({ HEADRACE_HOME: at.path("home") }, at.folder, false)
const { store } = serveOptions({}, settings, false)
const open = <A, E>(work: Effect.Effect<A, E, Layer.Success<ReturnType<typeof resealingLayer>>>) =>
  Effect.runPromise(
    work.pipe(Effect.provide(resealingLayer(store, settings)), Effect.provide(Layer.succeed(Settings, settings))),
  )

test("keys rotate seals every secret anew, after which the older key is not needed", async () => {
  await open(
    Effect.gen(function* () {
      const anna = yield* person("anna")
      const prod = { host: "db", database: "d", user: "u", password: "geheim-geheim" }
      const source = { name: "shop", type: "postgres", description: "", prod, concurrency: null }
      yield* SourceRegistry.use((registry) => registry.create(anna, source))
      const webhook = {
        name: "w",
        flow: null,
        url: "https://a.example/x",
        events: ["run.failed"],
        paused: false,
      } as const
      yield* Webhooks.use((webhooks) => webhooks.create(actors.admin, webhook))
    }),
  )
  const before = await at.headrace(["keys", "show", "--json"])
  const rotated = await at.headrace(["keys", "rotate"])
  expect(rotated).toMatchObject({ code: 0, err: "" })
  expect(rotated.out).toContain("sealed 1 secret of data sources anew")
  expect(rotated.out).toContain("sealed 1 secret of webhooks anew")
  const { keys } = JSON.parse((await at.headrace(["keys", "show", "--json"])).out)
  expect(keys).toEqual([keys[0], ...JSON.parse(before.out).keys])
  expect(rotated.out).toContain(`key ${keys[0]} seals from now on`)
  const lines = at.read("home/master.key").trim().split("\n")
  const secretsOf = lines.filter((line) => !line.startsWith("#"))
  for (const { out, err } of [before, rotated]) for (const secret of secretsOf) expect(out + err).not.toContain(secret)
  await at.write("home/master.key", secretsOf[0]!)
  const [source] = await open(SourceRegistry.use((registry) => registry.open(["shop"], "prod")))
  expect(source?.settings.password).toBe("geheim-geheim")
  expect(
    at.query(relative(at.folder, store), "SELECT actor_name FROM audit_log WHERE action = 'keys.rotated'"),
  ).toEqual([["headrace keys rotate"]])
})

test("keys rotate cannot change what comes from the environment, and seals under the first key there", async () => {
  const key = at.read("home/master.key").trim()
  const alone = await at.headrace(["keys", "rotate"], { env: { HEADRACE_MASTER_KEY: key } })
  expect(alone.code).toBe(2)
  expect(alone.err).toContain("cannot change its environment")
  expect(alone.out + alone.err).not.toContain(key)
  const newer = crypto.getRandomValues(new Uint8Array(32)).toBase64()
  const both = await at.headrace(["keys", "rotate"], { env: { HEADRACE_MASTER_KEY: `${newer} ${key}` } })
  expect(both.out).toContain("sealed 1 secret of data sources anew")
  const lost = await at.headrace(["keys", "rotate"])
  expect(lost.code).toBe(2)
  expect(lost.err).toContain("is not known")
})
