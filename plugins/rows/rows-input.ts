import type { Column, ColumnBuilder, Input, Issue, LogicalType, Session } from "../../core/contract/index.ts"
import { parseTypeName, typeNameExamples } from "../_sql/type-name.ts"
import { Draw } from "./draw.ts"
import { nastyValues } from "./nasty-values.ts"
import { type MakeNext, sequenceLength, sequenceMaker } from "./sequence-maker.ts"
import { valueMaker } from "./value-maker.ts"

export interface RowsConfig {
  readonly rows: number
  readonly seed: number
  readonly splits: number
  readonly nasty: boolean
  readonly columns: readonly ColumnConfig[]
}

interface ColumnConfig {
  readonly name: string
  readonly type: string
  readonly nullShare?: number
  readonly distinct?: number
  readonly sequence?: boolean
}

/** What a split's state holds. */
interface Range {
  readonly from: number
  readonly to: number
}

/** One in so many values is an edge case. */
const NASTY_EVERY = 8
const SLICE_MS = 20

export default {
  kind: "input",
  id: "rows-input",
  title: "Generated rows",
  summary: "Makes rows of any shape, the same ones every time.",
  description: `
For demonstrations, tests and measurements. A value depends only on the seed, its column's name and its row's number:
any number of splits gives the same rows, and leaving a column out changes no other.

With \`nasty\`, one value in eight is an edge case of its type: extremes, empty text, quotes, line breaks, backslashes,
emoji, NaN, infinity, years before Christ. NUL characters are not among them, because few systems keep them.
`.trim(),
  config: {
    type: "object",
    properties: {
      columns: {
        type: "array",
        minItems: 1,
        description: "The columns.",
        items: {
          type: "object",
          properties: {
            name: { type: "string", minLength: 1, description: "Name of the column." },
            type: { type: "string", description: `Its type: ${typeNameExamples}.` },
            nullShare: { type: "number", minimum: 0, maximum: 1, description: "Share of NULLs, 0 to 1. Default: 0." },
            distinct: {
              type: "integer",
              minimum: 1,
              description: "The most different values it has. Default: no limit.",
            },
            sequence: { type: "boolean", description: "Counts 1, 2, 3 and so on instead of drawing values." },
          },
          required: ["name", "type"],
          additionalProperties: false,
        },
      },
      rows: { type: "integer", minimum: 0, default: 1000, description: "How many rows to make." },
      seed: { type: "integer", minimum: 0, default: 1, description: "Another seed gives other rows." },
      splits: {
        type: "integer",
        minimum: 1,
        maximum: 10_000,
        default: 1,
        description: "How many splits to cut the rows into.",
      },
      nasty: { type: "boolean", default: false, description: "Mixes in the edge cases of each type." },
    },
    required: ["columns"],
    additionalProperties: false,
  },
  examples: [
    {
      title: "A thousand orders",
      config: {
        columns: [
          { name: "id", type: "int64", sequence: true },
          { name: "customer", type: "string(40)", distinct: 100 },
          { name: "total", type: "decimal(12,2)", nullShare: 0.05 },
          { name: "ordered", type: "timestamptz" },
        ],
      },
    },
    {
      title: "A million hostile rows in eight splits",
      config: {
        rows: 1_000_000,
        splits: 8,
        nasty: true,
        columns: [
          { name: "id", type: "int64", sequence: true },
          { name: "text", type: "string" },
        ],
      },
    },
  ],

  async plan(config, request) {
    const issues = config.columns.flatMap((column) => issuesOf(column, config))
    const names = request.columns ?? config.columns.map(({ name }) => name)
    const known = config.columns.filter(({ type }) => parseTypeName(type))
    const columns = names.flatMap((name) => known.filter((column) => column.name === name).map(columnOf))
    const unknown = names.filter((name) => !config.columns.some((column) => column.name === name))
    return {
      columns,
      encodings: [],
      notes: [`makes ${config.rows} rows from seed ${config.seed} in ${config.splits} splits`],
      issues: [
        ...issues,
        ...unknown.map((name) => error(name, `Cannot find column "${name}" among the generated ones`)),
      ],
      estimatedRows: config.rows,
    }
  },

  async open(config, request) {
    const wanted = request.columns.map((name) => config.columns.find((column) => column.name === name)!)
    const splits = Array.from({ length: config.splits }, (_, i) => {
      const from = Math.floor((config.rows * i) / config.splits)
      const to = Math.floor((config.rows * (i + 1)) / config.splits)
      return { id: `${from}-${to}`, label: `rows ${from} to ${to}`, state: { from, to } satisfies Range }
    })
    return {
      splits: request.splits ?? splits.filter(({ state }) => state.to > state.from),
      oneSnapshot: true,
      lasting: true,
      read: (split, session) => makeRows(config, wanted, split.state as Range, session), // made above, or in the run that is resumed
      async [Symbol.asyncDispose]() {},
    }
  },
} satisfies Input<RowsConfig>

async function* makeRows(config: RowsConfig, wanted: readonly ColumnConfig[], { from, to }: Range, session: Session) {
  const builder = session.batches.builder(wanted.map(columnOf))
  const makers = wanted.map((column, i) => maker(column, builder.columns[i]!, config, session))
  let sliceEnd = performance.now() + SLICE_MS
  for (let row = from; row < to; row++) {
    for (let i = 0; i < makers.length; i++) makers[i]!(row)
    builder.endRow()
    if (!builder.full) continue
    yield builder.finish()
    if (performance.now() > sliceEnd) {
      await new Promise((resolve) => setTimeout(resolve, 0))
      sliceEnd = performance.now() + SLICE_MS
    }
    if (session.signal.aborted) throw session.failure("cancelled", "Cannot make more rows: the run was cancelled")
  }
  if (builder.rows > 0) yield builder.finish()
}

function maker(config: ColumnConfig, column: ColumnBuilder, { seed, nasty }: RowsConfig, session: Session): MakeNext {
  if (config.sequence) return sequenceMaker(column.type, column)
  const make = valueMaker(column.type, column)
  const edges = nasty ? edgeCases(column.type, session) : []
  const nullBelow = Math.round((config.nullShare ?? 0) * 4294967296)
  const { distinct } = config
  const nulls = new Draw(seed, `${config.name} null`)
  const choice = new Draw(seed, `${config.name} choice`)
  const draw = new Draw(seed, config.name)
  return (row) => {
    if (nullBelow > 0 && nulls.at(row).next() < nullBelow) return column.null()
    const which = distinct === undefined ? row : choice.at(row).below(distinct)
    draw.at(which)
    if (edges.length === 0 || draw.below(NASTY_EVERY) > 0) return make(draw)
    const edge = edges[draw.below(edges.length)]!
    column.parse(edge, 0, edge.length)
  }
}

/** The edge cases that fit the type, which a trial tells. */
function edgeCases(type: LogicalType, { batches }: Session): Uint8Array[] {
  const encoder = new TextEncoder()
  const trial = batches.builder([{ name: "trial", type, nullable: false }])
  return nastyValues(type)
    .map((text) => encoder.encode(text))
    .filter((text) => {
      const fits = trial.columns[0]!.parse(text, 0, text.length)
      trial.discardRow()
      return fits
    })
}

function columnOf({ name, type, nullShare = 0, sequence }: ColumnConfig): Column {
  return { name, type: parseTypeName(type)!, nullable: nullShare > 0 && !sequence }
}

function issuesOf(column: ColumnConfig, { rows, columns }: RowsConfig): Issue[] {
  const { name, sequence } = column
  const type = parseTypeName(column.type)
  if (!type)
    return [
      error(name, `Cannot read the type "${column.type}" of column "${name}"`, `Write one of ${typeNameExamples}`),
    ]
  if (columns.find((other) => other.name === name) !== column)
    return [error(name, `Cannot make two columns of the name "${name}"`)]
  if (type.kind === "native") return [error(name, `Cannot make values of the type ${type.name} of ${type.system}`)]
  if (!sequence) return []
  const length = sequenceLength(type)
  if (length === 0) return [error(name, `Cannot count in column "${name}": ${column.type} has no sequence`)]
  return rows > length
    ? [error(name, `Cannot count to ${rows} in column "${name}": ${column.type} ends at ${length}`)]
    : []
}

function error(column: string, message: string, hint?: string): Issue {
  return { severity: "error", column, message, ...(hint !== undefined && { hint }) }
}
