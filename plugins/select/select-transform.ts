import type { Transform, TransformShape } from "../../core/contract/index.ts"
import { typeNameExamples } from "../_sql/type-name.ts"
import { castColumns } from "./cast-columns.ts"
import { type Entry, type Pick, pickColumns } from "./pick-columns.ts"

export interface SelectConfig {
  readonly columns?: readonly Entry[]
  readonly change?: readonly Entry[]
  readonly drop?: readonly string[]
  readonly onCastError: "reject" | "null"
}

const entry = {
  anyOf: [
    { type: "string" },
    {
      type: "object",
      properties: {
        column: { type: "string", description: "Column of the input." },
        as: { type: "string", minLength: 1, description: "Its name in the output. Default: the same." },
        type: { type: "string", description: `Its type in the output: ${typeNameExamples}. Default: the same.` },
      },
      required: ["column"],
      additionalProperties: false,
    },
  ],
}

export default {
  kind: "transform",
  letsGo: true,
  id: "select",
  title: "Select columns",
  summary: "Keeps, drops, renames, reorders and casts columns.",
  description: `
Say what comes out in one of two ways:

- \`columns\` lists the output, column by column, in its order. A column that is not listed is dropped; one that is listed
  twice is copied.
- \`change\` and \`drop\` name the exceptions: all other columns stay as and where they are.

A cast follows SQL: digits beyond a decimal's scale are rounded half away from zero, text is never cut, and a timestamp
becomes a \`timestamptz\` by being taken as UTC. A value that does not fit its new type rejects the row, unless
\`onCastError\` says otherwise. A cast of a column that no later step uses is not done.
`.trim(),
  config: {
    type: "object",
    properties: {
      columns: {
        type: "array",
        items: entry,
        minItems: 1,
        description: "The output's columns in their order: a name, or a column with a new name or type.",
      },
      change: {
        type: "array",
        items: entry,
        minItems: 1,
        description: "Columns that get a new name or type where they stand; all others stay as they are.",
      },
      drop: {
        type: "array",
        items: { type: "string" },
        minItems: 1,
        description: "Columns that are left out; all others stay as they are.",
      },
      onCastError: {
        enum: ["reject", "null"],
        default: "reject",
        description:
          "What becomes of a value that does not fit its new type: reject the row, or write NULL and count it.",
      },
    },
    additionalProperties: false,
  },
  examples: [
    {
      title: "Two columns, one of them renamed and cast",
      config: { columns: ["id", { column: "total", as: "amount", type: "decimal(12,2)" }] },
    },
    {
      title: "Everything but a password, with times as instants",
      config: { change: [{ column: "created", type: "timestamptz" }], drop: ["password"] },
    },
  ],

  plan(config, { input, wanted }) {
    const { picks, issues } = pickColumns(config, input)
    const used = wanted ? picks.filter(({ output }) => wanted.includes(output.name)) : picks
    return {
      columns: used.map(({ output }) => output),
      requires: [...new Set(used.map(({ from }) => from))],
      issues,
    }
  },

  async *apply(config, shape, batches, session) {
    const moves = matchShape(pickColumns(config, shape.input).picks, shape)
    const casts = moves.flatMap(({ isCast, column }, i) =>
      isCast ? [[i, session.batches.caster(column.type)] as const] : [],
    )
    const casters = new Map(casts)
    for await (const batch of batches) {
      const moved = session.batches.project(batch, moves)
      const done = castColumns(moved, casters, { source: batch, policy: config.onCastError, session })
      if (done.batch.rows > 0) yield done.batch
      done.recycle()
    }
  },
} satisfies Transform<SelectConfig>

/** Where each column of the output comes from. Input columns that nobody wants may be missing. */
function matchShape(picks: readonly Pick[], { input, output }: TransformShape) {
  return output.map((column) => {
    const { from, isCast } = picks.find((pick) => pick.output.name === column.name)!
    return { from: input.findIndex(({ name }) => name === from), column, isCast }
  })
}
