import { Effect, Layer } from "effect"
import { actors, testApp } from "./frame.ts"
import { aKey, Place, type PlaceServices } from "../../core/server/testdata/place.ts"
import { Workbench } from "../../core/server/jobs/workbench.ts"
import { refuse } from "../../core/server/request-error.ts"
import { StoreDatabase } from "../../core/store/database.ts"
import { storePlaces } from "../../runtime/store/testdata/store-databases.ts"
import { components } from "../api/components.ts"
import { flowVersions } from "../api/flow-versions.ts"
import { flows } from "../api/flows.ts"
import { grants } from "../api/grants.ts"
import { sources } from "../api/sources.ts"
import { workbench } from "../api/workbench.ts"

/** The endpoints of flows and data sources over services on a store of their own. */
export async function libraryApp() {
  const [[, makeStore]] = storePlaces as [(typeof storePlaces)[number]] // there is always SQLite
  const place = new Place(await makeStore(), await aKey())
  const layer: Layer.Layer<PlaceServices | Workbench, unknown> = Layer.mergeAll(place.layer(), talkative)
  const { app, runtime } = testApp(
    [...flows, ...flowVersions, ...workbench, ...sources, ...grants, ...components],
    layer,
  )
  await runtime.runPromise(
    Effect.flatMap(StoreDatabase, (database) =>
      database.write(async ({ insert, tables: { users } }) => {
        for (const { id, name, role } of Object.values(actors))
          await insert(users).values({
            ...{ id, name, displayName: name, passwordHash: "x", role, disabled: false },
            ...{ version: 1, createdAt: 0, updatedAt: 0 },
          })
      }),
    ) as Effect.Effect<void, unknown, never>, // the layer has it beside what endpoints need
  )

  async function ask(call: string, { as = "developer", body, headers = {} }: Asking = {}) {
    const [method = "GET", path = "/"] = call.split(" ")
    const response = await app.request(`http://localhost/api/v1${path}`, {
      method,
      headers: {
        ...(as === "" ? {} : { authorization: `Bearer ${as}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get("content-type")?.includes("json") === true
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }

  return {
    ask,
    place,
    async [Symbol.asyncDispose]() {
      await runtime.dispose()
      await place[Symbol.asyncDispose]()
    },
  }
}

interface Asking {
  readonly as?: string
  /** Text is sent to the letter. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers with all that it was told, as the worst of drivers would. */
const talkative = Layer.succeed(Workbench, {
  check: () => Effect.succeed({ problems: [{ message: "wrong", pointer: "/steps/0" }], warnings: [] }),
  plan: (actor, question) => Effect.succeed({ actor: actor.account, question }),
  preview: (_, { rows, step }) => Effect.succeed({ rows, step }),
  parameters: () => Effect.succeed({ parameters: [] }),
  createTables: () => Effect.succeed({ tables: [], warnings: [] }),
  testConnection: ({ settings }) =>
    settings.user === "broken"
      ? Effect.fail(
          refuse("unavailable", `Cannot connect with ${JSON.stringify(settings)}`, {
            hint: `Not even as ${encodeURIComponent(String(settings.password))}`,
            problems: [{ message: `password ${settings.password} is wrong`, hint: `${settings.password}?` }],
          }),
        )
      : Effect.succeed({ server: `PostgreSQL at ${settings.host}`, durationMs: 1.5 }),
  tables: ({ name, settings }, filter) => Effect.succeed({ name, host: settings.host, filter }),
  columns: (_, table) => Effect.succeed({ table }),
})
