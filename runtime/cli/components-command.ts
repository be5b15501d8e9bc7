import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import type { ComponentBase } from "../../core/contract/index.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import { flowSchema } from "../../core/flow/flow-schema.ts"
import type { FoundPlugin } from "../discovery/discover.ts"
import { refusedPlugin } from "../discovery/installed.ts"
import type { Server } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import { Plugins } from "../worker/host.ts"
import { jsonFlag } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { optionLines } from "./option-text.ts"
import { asJson, usage } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { hereOr } from "./server-flag.ts"
import { textTable } from "./text-table.ts"

/** What is known of a component, by its code or by its manifest. */
interface Known {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly summary: string
  readonly plugin: string
  readonly version: string
  readonly isLoaded: boolean
}

export const componentsCommand = Command.make(
  "components",
  { json: jsonFlag },
  Effect.fnUntraced(function* ({ json }) {
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const known = yield* hereOr(knownComponents.pipe(withHost(cwd)), componentsAt).pipe(asJson(json))
    if (json) return screen.out(JSON.stringify(known, null, 2))
    const cells = known.map(({ id, kind, summary, plugin, isLoaded }) => [
      id,
      kind,
      summary,
      isLoaded ? plugin : `${plugin} (needs --unconfined ${plugin})`,
    ])
    for (const line of textTable(COLUMNS, cells, { style: screen.outStyle })) screen.out(line)
  }),
).pipe(
  Command.withDescription("List the inputs, transforms, outputs and database types that flows can use."),
  Command.withShortDescription("List the components of flows"),
)

const knownComponents = Effect.gen(function* () {
  const { components, refused, all } = yield* Plugins
  const loaded = components.all.map(({ component, plugin }): Known => {
    const { id, kind, title, summary } = component
    return { id, kind, title, summary, plugin: plugin.name, version: plugin.version, isLoaded: true }
  })
  const known = [...loaded, ...refused.flatMap(fromManifest)]
  const order = all.map((plugin) => plugin.manifest.name)
  return known.toSorted((a, b) => order.indexOf(a.plugin) - order.indexOf(b.plugin) || a.id.localeCompare(b.id))
})

function fromManifest({ manifest }: FoundPlugin): readonly Known[] {
  const { name: plugin, version } = manifest
  return manifest.components.map(({ id, kind, title, summary }) => ({
    ...{ id, kind, title, summary, plugin, version },
    isLoaded: false,
  }))
}

export const componentCommand = Command.make(
  "component",
  { name: Argument.String("NAME").pipe(Argument.withDescription("Id of the component, such as postgres-input")) },
  Effect.fnUntraced(function* ({ name }) {
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const component = yield* hereOr(findComponent(name).pipe(withHost(cwd)), (at) => componentAt(at, name))
    for (const line of optionLines(component, screen.outStyle, screen.columns)) screen.out(line)
  }),
).pipe(
  Command.withDescription("Describe a component: what it does, its options with their defaults, examples."),
  Command.withShortDescription("Describe a component"),
  Command.withExamples([{ command: "headrace component csv-input", description: "How is a CSV file read?" }]),
)

export const schemaCommand = Command.make(
  "schema",
  {
    component: Argument.String("COMPONENT").pipe(
      Argument.withDescription("Id of a component; without it, the schema of flow documents"),
      Argument.optional,
    ),
  },
  Effect.fnUntraced(function* ({ component }) {
    const screen = yield* Screen
    const { cwd } = yield* Settings
    if (Option.isNone(component)) {
      const schema = yield* hereOr(Effect.succeed<object>(flowSchema), flowSchemaAt)
      return screen.out(JSON.stringify(schema, null, 2))
    }
    const { value: id } = component
    const { config } = yield* hereOr(findComponent(id).pipe(withHost(cwd)), (at) => componentAt(at, id))
    screen.out(JSON.stringify(config, null, 2))
  }),
).pipe(
  Command.withDescription("Print a JSON Schema, for editors: that of flow documents, or of a component's options."),
  Command.withShortDescription("Print a JSON Schema"),
)

const componentsAt = Effect.fnUntraced(function* (server: Server) {
  const { items } = yield* server.call("GET /components")
  const known = items.map(
    ({ id, kind, title, summary, plugin, version }): Known => ({
      ...{ id, kind, title, summary, plugin, version },
      isLoaded: true,
    }),
  )
  return known.toSorted((a, b) => a.plugin.localeCompare(b.plugin) || a.id.localeCompare(b.id))
})

const componentAt = Effect.fnUntraced(function* (server: Server, id: string) {
  // The server has checked what plugins say of themselves.
  return (yield* server.call("GET /components/:id", { params: { id } })) as unknown as ComponentBase & { kind: string }
})

const flowSchemaAt = (server: Server) => Effect.map(server.call("GET /flow-schema"), (schema) => schema as object)

const findComponent = Effect.fnUntraced(function* (name: string) {
  const installed = yield* Plugins
  const component = installed.components.get(name)?.component
  if (component !== undefined) return component
  const declared = installed.refused
    .flatMap((plugin) => plugin.manifest.components)
    .find((candidate) => candidate.id === name)
  if (declared !== undefined && refusedPlugin(installed, name) !== undefined)
    return { ...declared, examples: [] } satisfies ComponentBase & { kind: string }
  const near = installed.components.nearest(name) ?? closestName(name, installed.refused.flatMap(componentIds))
  const hint = near === undefined ? 'Run "headrace components" to see what there is' : `Did you mean "${near}"?`
  return yield* usage(`There is no component "${name}"`, hint)
})

function componentIds({ manifest }: FoundPlugin): readonly string[] {
  return manifest.components.map(({ id }) => id)
}

const COLUMNS = [{ title: "component" }, { title: "kind" }, { title: "what it does" }, { title: "plugin" }] as const
