import { and, eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { StoreDatabase } from "../../store/database.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { Catalogue } from "../components/catalogue.ts"
import { hashOf, makeId } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { mayBeOpen } from "../sources/folders.ts"
import { SourcePolicy } from "../sources/source-policy.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { compareFlows } from "./flow-difference.ts"
import { draftFaults, draftSteps, readDraft } from "./flow-document.ts"
import type { FlowDraft, FlowLibrary, SavedFlow } from "./flow-library.ts"
import { readFlowName, readFolder } from "./flow-name.ts"
import { propertyProblems, usualProperties } from "./flow-properties.ts"
import { dropMarks, flowBy, flowPage, keepVersion, liveRun, moveMarks, versionsAt, versionsOf } from "./flow-rows.ts"
import { fileUses, sourceUses } from "./flow-uses.ts"

/** The flows in the store. */
export const makeFlowLibrary = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const audit = yield* AuditLog
  const catalogue = yield* Catalogue
  const registry = yield* SourceRegistry
  const policy = yield* SourcePolicy

  const recorded = (actor: Actor, action: string, { id, name }: SavedFlow, detail = {}) =>
    audit.record(actor, { action, subject: { kind: "flow", id, name }, detail })

  const find = Effect.fnUntraced(function* (key: { readonly name: string } | { readonly id: string }) {
    const row = yield* database.read((queries) => flowBy(queries, key))
    return row ?? (yield* "name" in key ? missing(key.name) : refuse("missing", "The flow is not there any more"))
  })

  const stepsOf = Effect.fnUntraced(function* (document: string) {
    const draft = readDraft(document)
    return draft instanceof Error ? yield* draft : draftSteps(draft, catalogue)
  })

  const uses = Effect.fnUntraced(function* (document: string) {
    const found = sourceUses(yield* stepsOf(document))
    return found instanceof Error ? yield* found : found
  })

  /** What is to be saved, checked; `uses` is absent where the document stays what it was. */
  const enter = Effect.fnUntraced(function* (actor: Actor, draft: FlowDraft, before?: SavedFlow) {
    const name = readFlowName(draft.name)
    if ("fault" in name) return yield* invalid("/name", name.fault)
    const folder = readFolder(draft.folder ?? before?.folder ?? "")
    if ("fault" in folder) return yield* invalid("/folder", folder.fault)
    const description = draft.description ?? before?.description ?? ""
    if ([...description].length > 1000)
      return yield* invalid("/description", "The description has more than 1000 characters")
    const remark = draft.remark ?? ""
    if ([...remark].length > 128) return yield* invalid("/remark", "The remark has more than 128 characters")
    const properties = { ...(before?.properties ?? usualProperties), ...draft.properties }
    const problems = propertyProblems(properties)
    if (problems.length > 0) return yield* refuse("invalid", problems[0]!.message, { problems })
    const { document } = draft
    const named = readDraft(document)
    if (named instanceof Error) return yield* named
    const inner = named.name ?? ""
    if (inner !== "" && (typeof inner !== "string" || inner.normalize("NFC") !== name.name)) {
      const hint = `Leave the name out of the document, or write "${name.name}"`
      return yield* invalid("/document/name", `The document calls itself ${JSON.stringify(inner).slice(0, 100)}`, hint)
    }
    const used = document === before?.document ? undefined : yield* admitted(actor, document)
    const hash = yield* Effect.promise(() => hashOf(document))
    return {
      kept: { name: name.name, folder: folder.name, description, document, hash, properties },
      remark,
      uses: used,
    }
  })

  /** Whoever saves has to be allowed what the document does: others may run it with grants of their own. */
  const admitted = Effect.fnUntraced(function* (actor: Actor, document: string) {
    const found = yield* uses(document)
    yield* registry.authorize(actor.account, found)
    const { files } = yield* policy.current
    const closed = fileUses(yield* stepsOf(document)).filter(({ path }) => !mayBeOpen(files, path))
    if (closed.length === 0) return found
    const hint =
      files.folders.length === 0 ? "An administrator can open a folder" : `Open are ${files.folders.join(", ")}`
    const problems = closed.map(({ step, pointer, path }) => ({
      ...{ step, pointer: `/document${pointer}`, hint },
      message: `Step "${step}": "${path}" lies outside of the folders that are open to flows`,
    }))
    return yield* refuse("forbidden", problems[0]!.message, { hint, problems })
  })

  const update = Effect.fnUntraced(function* (actor: Actor, name: string, version: number, draft: FlowDraft) {
    const now = yield* Clock.currentTimeMillis
    const before = yield* find({ name })
    if (before.version !== version) return yield* stale(before)
    const { kept, remark, uses: used } = yield* enter(actor, draft, before)
    const after: SavedFlow = { ...before, ...kept, version: version + 1, updatedAt: now, updatedBy: actor.name }
    yield* database.write(async (queries) => {
      const { update: change, tables } = queries
      const { flows } = tables
      if (after.name !== before.name) {
        if ((await flowBy(queries, { name: after.name })) !== undefined) return taken(after.name)
        const run = await liveRun(queries, before.id)
        if (run !== undefined) return busy(before.name, "renamed", run)
        await moveMarks(queries, before.name, after.name)
      }
      const { id, owner, createdAt, ...changed } = after
      const written = await change(flows)
        .set(changed)
        .where(and(eq(flows.id, id), eq(flows.version, version)))
        .returning({ id: flows.id })
      if (written.length > 0) return await keepVersion(queries, after, { remark, uses: used })
      const present = await flowBy(queries, { id })
      return present === undefined ? missing(name) : stale(present)
    })
    const renamed = after.name === before.name ? {} : { from: before.name }
    yield* recorded(actor, "flow.saved", after, { version: after.version, remark, ...renamed })
    return after
  })

  const version = Effect.fnUntraced(function* (name: string, wanted: number) {
    const flow = yield* find({ name })
    const [found] = yield* database.read((queries) => versionsAt(queries, flow.id, [wanted]))
    if (found === undefined) return yield* noVersion(name, wanted)
    const { document, properties, author, at } = found
    const hash = yield* Effect.promise(() => hashOf(document))
    return { ...flow, document, hash, properties, version: wanted, updatedAt: at, updatedBy: author }
  })

  const service: FlowLibrary["Service"] = {
    list: Effect.fnUntraced(function* (filter) {
      const rows = yield* database.read((queries) => flowPage(queries, filter))
      const items = rows.slice(0, filter.limit)
      const next = rows.length > items.length ? items.at(-1)?.id : undefined
      return { items, ...(next === undefined ? {} : { next }) }
    }),

    get: (name) => find({ name }),
    byId: (id) => find({ id }),

    create: Effect.fnUntraced(function* (actor, draft) {
      const now = yield* Clock.currentTimeMillis
      const { kept, remark, uses: used = [] } = yield* enter(actor, draft)
      const flow: SavedFlow = {
        ...{ id: makeId(now), ...kept, owner: actor.account, version: 1 },
        ...{ createdAt: now, updatedAt: now, updatedBy: actor.name },
      }
      yield* database.write(async (queries) => {
        if ((await flowBy(queries, { name: flow.name })) !== undefined) return taken(flow.name)
        await queries.insert(queries.tables.flows).values(flow)
        await keepVersion(queries, flow, { remark, uses: used })
      })
      yield* recorded(actor, "flow.created", flow, { remark })
      return flow
    }),

    update,

    remove: Effect.fnUntraced(function* (actor, name, wanted) {
      const flow = yield* find({ name })
      yield* database.write(async (queries) => {
        const { delete: remove, tables } = queries
        const { flows } = tables
        const run = await liveRun(queries, flow.id)
        if (run !== undefined) return busy(name, "removed", run)
        await dropMarks(queries, flow.name)
        const removed = await remove(flows)
          .where(and(eq(flows.id, flow.id), eq(flows.version, wanted)))
          .returning({ id: flows.id })
        if (removed.length > 0) return
        const present = await flowBy(queries, { id: flow.id })
        return present === undefined ? missing(name) : stale(present)
      })
      yield* recorded(actor, "flow.removed", flow, { version: wanted })
    }),

    versions: Effect.fnUntraced(function* (name, page = { limit: 200 }) {
      const flow = yield* find({ name })
      return yield* database.read((queries) => versionsOf(queries, flow.id, page))
    }),

    version,
    uses,
    files: (document) => Effect.map(stepsOf(document), fileUses),

    faults: Effect.fnUntraced(function* (document) {
      const draft = readDraft(document)
      return draft instanceof Error ? yield* draft : draftFaults(draft, catalogue)
    }),

    compare: Effect.fnUntraced(function* (name, from, to) {
      const flow = yield* find({ name })
      const found = yield* database.read((queries) => versionsAt(queries, flow.id, [from, to]))
      const side = (wanted: number) => found.find((one) => one.version === wanted)
      const [older, newer] = [side(from), side(to)]
      if (older === undefined || newer === undefined) return yield* noVersion(name, older === undefined ? from : to)
      const read = ({ document, properties }: typeof older) => ({
        document: JSON.parse(document.replace(/^\uFEFF/, "")),
        properties,
      })
      return compareFlows(read(older), read(newer))
    }),

    restore: Effect.fnUntraced(function* (actor, name, newest, old) {
      const { document, properties } = yield* version(name, old)
      return yield* update(actor, name, newest, { name, document, properties, remark: `Restores version ${old}` })
    }),
  }
  return service
})

function missing(name: string): RequestError {
  return refuse("missing", `There is no flow "${name}"`)
}

function noVersion(name: string, version: number): RequestError {
  return refuse("missing", `Flow "${name}" has no version ${version}`)
}

function taken(name: string): RequestError {
  return refuse("conflict", `A flow "${name}" is there already`, { hint: "Choose another name" })
}

function busy(name: string, what: string, run: { readonly id: string; readonly status: string }): RequestError {
  return refuse("conflict", `Flow "${name}" cannot be ${what}: run ${run.id} is ${run.status}`, {
    hint: "Cancel it, or wait for its end",
  })
}

function stale(current: SavedFlow): RequestError {
  const message = `Flow "${current.name}" was changed meanwhile, by ${current.updatedBy}: it is at version ${current.version}`
  return refuse("conflict", message, { current, hint: "Look at what it is now, and change that" })
}

function invalid(pointer: string, message: string, hint?: string): RequestError {
  const more = hint === undefined ? {} : { hint }
  return refuse("invalid", message, { ...more, problems: [{ pointer, message, ...more }] })
}
