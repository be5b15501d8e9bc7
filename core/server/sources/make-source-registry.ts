import { and, asc, eq, inArray } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import { type Actor, may } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { Catalogue } from "../components/catalogue.ts"
import { makeId } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import type { References } from "./references.ts"
import { Resealers } from "./resealers.ts"
import { type Options, secretsOf } from "./secret-options.ts"
import { accessOf, authorizeUses, type GrantRow, type SourceRow, validGrants } from "./source-access.ts"
import { makeSourceGrants } from "./source-grants.ts"
import { readSourceName } from "./source-name.ts"
import { SourcePolicy } from "./source-policy.ts"
import type { OpenSource, ShownSource, SourceDraft, SourceRegistry } from "./source-registry.ts"
import { resealSources } from "./source-reseal.ts"
import { enterSettings, openSettings, type SettingsPlace } from "./source-settings.ts"
import { Vault } from "./vault.ts"

/** The data sources in the store. */
export const makeSourceRegistry = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const audit = yield* AuditLog
  const catalogue = yield* Catalogue
  const policy = yield* SourcePolicy
  const vault = yield* Vault
  const around = yield* Effect.context<Vault | References | SourcePolicy | StoreDatabase | AuditLog | Catalogue>()

  const recorded = (actor: Actor, action: string, { id, name }: SourceRow, detail = {}) =>
    audit.record(actor, { action, subject: { kind: "data source", id, name }, detail })

  /** A data source that the actor may see; to everybody else it is not there. */
  const find = Effect.fnUntraced(function* (actor: Actor, name: string) {
    const now = yield* Clock.currentTimeMillis
    const { row, grants } = yield* database.read(async (queries) => ({
      row: await rowOf(queries, name),
      grants: await validGrants(queries, actor.account, now),
    }))
    const access = row === undefined ? undefined : accessOf(actor, row, grants)
    if (row === undefined || access === undefined || !(access.canRead || access.canWrite))
      return yield* refuse("missing", `There is no data source "${name}"`)
    return { row, grants, access }
  })

  /** One that the actor may change. */
  const findOwn = Effect.fnUntraced(function* (actor: Actor, name: string) {
    const found = yield* find(actor, name)
    if (found.access.canChange) return found
    yield* recorded(actor, "access.denied", found.row)
    return yield* refuse("forbidden", `Only its owner and administrators may change data source "${name}"`)
  })

  const show = (actor: Actor, row: SourceRow, grants: readonly GrantRow[]): ShownSource => {
    const schema = catalogue.databaseSchema(row.type)
    const { canRead, canWrite } = accessOf(actor, row, grants)
    const { settings, ...rest } = row
    const shown = (options: Options) => shownOptions(options, vault.isSealed)
    const secrets = (options: Options | undefined) =>
      options === undefined || schema === undefined
        ? []
        : [...secretsOf(schema, options).keys()].map((pointer) => pointer.slice(1).replaceAll("/", "."))
    return {
      ...rest,
      prod: shown(settings.prod),
      ...(settings.dev === undefined ? {} : { dev: shown(settings.dev) }),
      secrets: { prod: secrets(settings.prod), dev: secrets(settings.dev) },
      canRead,
      canWrite,
    }
  }

  const enter = Effect.fnUntraced(function* (actor: Actor, draft: SourceDraft, id: string, before?: SourceRow) {
    const read = readSourceName(draft.name)
    if ("fault" in read) return yield* invalid("/name", read.fault)
    if ([...draft.description].length > MOST_DESCRIPTION)
      return yield* invalid("/description", `The description has more than ${MOST_DESCRIPTION} characters`)
    const { concurrency, type } = draft
    if (concurrency !== null && !(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1000))
      return yield* invalid("/concurrency", "The number of runs at the same time is a whole one from 1 to 1000")
    const schema = yield* schemaOf(type)
    const kept = before?.type === type ? before.settings : undefined
    const mayRefer = may(actor, "settings.write") || (yield* policy.current).references
    const entered = (environment: "prod" | "dev", settings: unknown) =>
      enterSettings({ id, environment, schema }, { settings, kept: kept?.[environment], mayRefer })
    const prod = yield* entered("prod", draft.prod)
    const dev = draft.dev === undefined ? undefined : yield* entered("dev", draft.dev)
    return {
      ...{ name: read.name, type, description: draft.description, concurrency },
      settings: { prod: prod.sealed, ...(dev === undefined ? {} : { dev: dev.sealed }) },
    }
  })

  const schemaOf = Effect.fnUntraced(function* (type: string) {
    const schema = catalogue.databaseSchema(type)
    if (schema !== undefined) return schema
    const near = catalogue.nearest(type, ["database"])
    const known = catalogue.all.filter(({ kind }) => kind === "database").map(({ id }) => id)
    const hint = near === undefined ? `There are ${known.join(", ")}` : `Did you mean "${near}"?`
    return yield* invalid("/type", `There is no database type "${type}"`, hint)
  })

  const openRow = Effect.fnUntraced(function* (row: SourceRow, environment: "prod" | "dev") {
    const schema = yield* schemaOf(row.type)
    // Without settings of their own, tests run on those of production, and secrets stand there.
    const used = environment === "dev" && row.settings.dev !== undefined ? "dev" : "prod"
    const place: SettingsPlace = { id: row.id, environment: used, schema }
    return yield* opened(row, openSettings(place, row.settings[used] ?? row.settings.prod))
  })

  const opened = Effect.fnUntraced(function* <E, R>(
    { name, type }: Pick<SourceRow, "name" | "type">,
    open: Effect.Effect<{ readonly settings: Options; readonly secrets: readonly string[] }, E, R>,
  ) {
    const { settings, secrets } = yield* open
    const { hosts } = yield* policy.current
    return { name, type, settings, secrets, hosts } satisfies OpenSource
  })

  const service: SourceRegistry["Service"] = {
    list: Effect.fnUntraced(function* (actor) {
      const now = yield* Clock.currentTimeMillis
      const { rows, grants } = yield* database.read(async (queries) => ({
        rows: await queries.select().from(queries.tables.dataSources).orderBy(asc(queries.tables.dataSources.name)),
        grants: await validGrants(queries, actor.account, now),
      }))
      return rows.map((row) => show(actor, row, grants)).filter(({ canRead, canWrite }) => canRead || canWrite)
    }),

    get: Effect.fnUntraced(function* (actor, name) {
      const { row, grants } = yield* find(actor, name)
      return show(actor, row, grants)
    }),

    create: Effect.fnUntraced(function* (actor, draft) {
      const now = yield* Clock.currentTimeMillis
      const id = makeId(now)
      const entered = yield* enter(actor, draft, id)
      const row: SourceRow = {
        ...{ id, ...entered, owner: actor.account, version: 1 },
        ...{ createdAt: now, updatedAt: now, updatedBy: actor.name },
      }
      yield* database.write(async (queries) => {
        const { insert, tables } = queries
        if ((await rowOf(queries, row.name)) !== undefined) return taken(row.name)
        await insert(tables.dataSources).values(row)
      })
      yield* recorded(actor, "source.created", row, { type: row.type })
      return show(actor, row, [])
    }, Effect.provide(around)),

    update: Effect.fnUntraced(function* (actor, name, version, draft) {
      const now = yield* Clock.currentTimeMillis
      const { row: before, grants } = yield* findOwn(actor, name)
      if (before.version !== version) return yield* stale(name, show(actor, before, grants))
      const entered = yield* enter(actor, draft, before.id, before)
      const after: SourceRow = {
        ...before,
        ...entered,
        ...{ version: version + 1, updatedAt: now, updatedBy: actor.name },
      }
      yield* database.write(async (queries) => {
        const { update, tables } = queries
        if (after.name !== before.name) {
          if ((await rowOf(queries, after.name)) !== undefined) return taken(after.name)
          const flows = await flowsOf(queries, before.name)
          if (flows.length > 0) return used(before.name, flows, "renamed")
        }
        const { id, createdAt, owner, ...changed } = after
        const written = await update(tables.dataSources)
          .set(changed)
          .where(and(eq(tables.dataSources.id, id), eq(tables.dataSources.version, version)))
          .returning({ id: tables.dataSources.id })
        if (written.length > 0) return
        const present = await rowOf(queries, name)
        return present === undefined
          ? refuse("missing", `There is no data source "${name}" any more`)
          : stale(name, show(actor, present, grants))
      })
      yield* recorded(actor, "source.changed", after, { changed: changedParts(before, after), version: after.version })
      return show(actor, after, grants)
    }, Effect.provide(around)),

    remove: Effect.fnUntraced(function* (actor, name, version) {
      const { row, grants } = yield* findOwn(actor, name)
      yield* database.write(async (queries) => {
        const { delete: remove, tables } = queries
        const flows = await flowsOf(queries, name)
        if (flows.length > 0) return used(name, flows, "removed")
        const removed = await remove(tables.dataSources)
          .where(and(eq(tables.dataSources.id, row.id), eq(tables.dataSources.version, version)))
          .returning({ id: tables.dataSources.id })
        if (removed.length > 0) return
        const present = await rowOf(queries, name)
        return present === undefined
          ? refuse("missing", `There is no data source "${name}" any more`)
          : stale(name, show(actor, present, grants))
      })
      yield* recorded(actor, "source.removed", row)
    }),

    flows: Effect.fnUntraced(function* (actor, name) {
      const { row } = yield* find(actor, name)
      return yield* database.read((queries) => flowsOf(queries, row.name))
    }),

    authorize: (account, uses) => authorizeUses(account, uses).pipe(Effect.provide(around)),

    open: Effect.fnUntraced(function* (names, environment) {
      const wanted = [...new Set(names)]
      const rows = yield* database.read(({ select, tables: { dataSources } }) =>
        select().from(dataSources).where(inArray(dataSources.name, wanted)),
      )
      const missing = wanted.filter((name) => !rows.some((row) => row.name === name))
      if (missing.length > 0) {
        const problems = missing.map((name) => ({ message: `There is no data source "${name}"` }))
        return yield* refuse("missing", problems[0]!.message, { problems })
      }
      return yield* Effect.forEach(rows, (row) =>
        Effect.mapError(openRow(row, environment), (error) => about(row.name, error)),
      )
    }, Effect.provide(around)),

    openDraft: Effect.fnUntraced(function* (actor, draft, environment) {
      const found = yield* Effect.result(findOwn(actor, draft.name))
      const before = found._tag === "Success" ? found.success.row : undefined
      // One of that name that is somebody else's lends nothing.
      const schema = yield* schemaOf(draft.type)
      const used = environment === "dev" && draft.dev !== undefined ? "dev" : "prod"
      const id = before?.id ?? makeId(yield* Clock.currentTimeMillis)
      const kept = before?.type === draft.type ? before.settings[used] : undefined
      const mayRefer = may(actor, "settings.write") || (yield* policy.current).references
      const settings = used === "dev" ? draft.dev : draft.prod
      const entered = yield* enterSettings({ id, environment: used, schema }, { settings, kept, mayRefer })
      return yield* opened(draft, Effect.succeed(entered.open))
    }, Effect.provide(around)),

    ...makeSourceGrants({ database, findOwn, recorded }),

    reseal: Effect.fnUntraced(function* (actor) {
      const count = yield* resealSources
      yield* audit.record(actor, {
        action: "secrets.resealed",
        subject: { kind: "data sources", id: "", name: "" },
        detail: { count },
      })
      return count
    }, Effect.provide(around)),
  }
  ;(yield* Resealers).add("data sources", Effect.provide(resealSources, around))
  return service
})

export async function rowOf({ select, tables: { dataSources } }: Queries, name: string) {
  const [row] = await select().from(dataSources).where(eq(dataSources.name, name))
  return row
}

async function flowsOf({ select, tables: { flows, flowUses } }: Queries, name: string) {
  return await select({ flow: flows.name, access: flowUses.access })
    .from(flowUses)
    .innerJoin(flows, eq(flows.id, flowUses.flow))
    .where(eq(flowUses.dataSource, name))
    .orderBy(asc(flows.name))
}

function used(name: string, flows: readonly { readonly flow: string }[], verb: string): RequestError {
  const names = [...new Set(flows.map(({ flow }) => flow))]
  const shown = names.slice(0, MOST_NAMED).map((flow) => `"${flow}"`)
  const more = names.length > MOST_NAMED ? [`${names.length - MOST_NAMED} more`] : []
  return refuse(
    "conflict",
    `Data source "${name}" cannot be ${verb}: it is used by ${[...shown, ...more].join(", ")}`,
    {
      hint: "Let these flows use another one first",
    },
  )
}

function taken(name: string): RequestError {
  return refuse("conflict", `A data source "${name}" is there already`, { hint: "Choose another name" })
}

function stale(name: string, current: ShownSource): RequestError {
  const message = `Data source "${name}" was changed meanwhile, by ${current.updatedBy}`
  return refuse("conflict", message, { current, hint: "Look at what it is now, and change that" })
}

function invalid(pointer: string, message: string, hint?: string): RequestError {
  const more = hint === undefined ? {} : { hint }
  return refuse("invalid", message, { ...more, problems: [{ pointer, message, ...more }] })
}

function about(name: string, error: RequestError): RequestError {
  const { reason, message, hint, problems } = error
  return refuse(reason, `Data source "${name}": ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(problems === undefined ? {} : { problems }),
  })
}

/** What the audit log says of a change: names of parts, never what is in them. */
function changedParts(before: SourceRow, after: SourceRow): readonly string[] {
  const parts = ["name", "type", "description", "concurrency", "settings"] as const
  return parts.filter((part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]))
}

/** Sealed text is shown nowhere, not even where the type that marked it as a secret is no longer installed. */
function shownOptions(value: Options, isSealed: (text: string) => boolean): Options {
  const strip = (part: unknown): unknown => {
    if (typeof part === "string") return isSealed(part) ? undefined : part
    if (Array.isArray(part)) return part.map(strip).filter((item) => item !== undefined)
    if (typeof part !== "object" || part === null) return part
    return Object.fromEntries(
      Object.entries(part).flatMap(([key, item]) => {
        const kept = strip(item)
        return kept === undefined ? [] : [[key, kept]]
      }),
    )
  }
  return strip(value) as Options // an object stays one
}

const MOST_NAMED = 20
const MOST_DESCRIPTION = 1000
