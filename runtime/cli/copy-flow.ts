import type { Endpoint } from "./endpoint.ts"

/** What `copy` was asked for besides its two ends. */
export interface CopyOptions {
  readonly mode: "append" | "overwriteRows" | "updateRows"
  readonly create: boolean
  readonly allowLossy: boolean
  readonly where: string | undefined
  readonly columns: readonly string[] | undefined
  readonly key: readonly string[] | undefined
  readonly splitColumn: string | undefined
  readonly parallel: number | undefined
  readonly errorLimit: number | undefined
}

/** An end with the type of its data source. */
export type TypedEndpoint =
  | (Extract<Endpoint, { kind: "table" }> & { readonly type: string })
  | Extract<Endpoint, { kind: "csv" }>

interface Step {
  readonly id: string
  readonly use: string
  readonly config: Readonly<Record<string, unknown>>
}

/** The flow document that copies, or what does not go together. */
export function copyFlow(
  from: TypedEndpoint,
  to: TypedEndpoint,
  options: CopyOptions,
): { readonly document: object } | { readonly faults: readonly string[] } {
  const faults = [...sourceFaults(from, options), ...targetFaults(to, options)]
  if (faults.length > 0) return { faults }
  const { columns, parallel, errorLimit } = options
  const steps: readonly Step[] = [
    source(from, options),
    // A table's columns are chosen by the database already.
    ...(from.kind === "csv" && columns !== undefined ? [{ id: "select", use: "select", config: { columns } }] : []),
    target(to, options),
  ]
  const hops = steps.slice(1).map((step, i) => ({ from: steps[i]!.id, to: step.id }))
  const settings = given({ parallel, errorLimit })
  return { document: { version: 1, steps, hops, ...(Object.keys(settings).length === 0 ? {} : { settings }) } }
}

function source(from: TypedEndpoint, { where, columns, splitColumn }: CopyOptions): Step {
  if (from.kind === "csv") return { id: "read", use: "csv-input", config: csvConfig(from) }
  const { dataSource, table } = from
  const config = { dataSource, table, ...given({ columns, where, splitColumn }) }
  return { id: "read", use: `${from.type}-input`, config }
}

function target(to: TypedEndpoint, { mode, key, create, allowLossy }: CopyOptions): Step {
  if (to.kind === "csv") return { id: "write", use: "csv-output", config: csvConfig(to) }
  const { dataSource, table } = to
  const config = {
    dataSource,
    table,
    mode,
    ...given({ keyColumns: key }),
    createTable: create,
    ...given({ allowLossy: allowLossy || undefined }),
  }
  return { id: "write", use: `${to.type}-output`, config }
}

function csvConfig({ path, delimiter }: Extract<Endpoint, { kind: "csv" }>): Step["config"] {
  return delimiter === "," ? { path } : { path, delimiter }
}

function sourceFaults(from: TypedEndpoint, { where, splitColumn }: CopyOptions): readonly string[] {
  if (from.kind !== "csv") return []
  const faults: string[] = []
  if (where !== undefined) faults.push("--where needs a database that evaluates it, the source is a file")
  if (splitColumn !== undefined) faults.push("--split-column needs a database, the source is a file")
  return faults
}

function targetFaults(to: TypedEndpoint, { mode, key }: CopyOptions): readonly string[] {
  if (to.kind !== "csv") return []
  const faults: string[] = []
  if (mode !== "append") faults.push(`--mode ${mode} needs a table, the target is a file, which is written anew`)
  if (key !== undefined) faults.push("--key needs a table, the target is a file")
  return faults
}

function given(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
