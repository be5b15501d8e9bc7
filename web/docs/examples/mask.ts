import type { Batch, Session, Transform, Vector } from "headrace/contract"

interface Config {
  readonly columns: readonly string[]
}

/** Replaces every byte of the named text columns. Transforms are verbs. */
const mask: Transform<Config> = {
  kind: "transform",
  id: "mask",
  title: "Mask text",
  summary: "Replaces every byte of text by an asterisk.",
  config: {
    type: "object",
    additionalProperties: false,
    required: ["columns"],
    properties: {
      columns: { type: "array", items: { type: "string" }, minItems: 1, description: "Text columns to mask." },
    },
  },
  examples: [{ title: "Names", config: { columns: ["first_name", "last_name"] } }],

  // Pure. `wanted` are the columns that later steps use: what nobody uses is not even read.
  plan(config, { input, wanted }) {
    const columns = input.filter(({ name }) => wanted === undefined || wanted.includes(name))
    const issues = config.columns
      .filter((name) => !input.some((column) => column.name === name && column.type.kind === "string"))
      .map((name) => ({ severity: "error" as const, column: name, message: `Cannot mask "${name}": no text column` }))
    return { columns, requires: columns.map(({ name }) => name), issues }
  },

  async *apply(config, { output }, batches, session) {
    for await (const batch of batches) {
      const chosen = output.map((column) => ({
        from: batch.columns.findIndex(({ name }) => name === column.name),
        column,
      }))
      const projected = session.batches.project(batch, chosen)
      yield masked(projected, config, session)
    }
  },
}

export default mask

/** Batches are shared between steps and never written to: a new vector takes the place of the old one. */
function masked(batch: Batch, config: Config, session: Session): Batch {
  const vectors = batch.vectors.map((vector, i): Vector => {
    if (!config.columns.includes(batch.columns[i]!.name) || vector.storage !== "bytes") return vector
    session.log.debug("masked", { column: batch.columns[i]!.name, values: vector.length })
    return { ...vector, data: new Uint8Array(vector.data.length).fill(0x2a) }
  })
  return { ...batch, vectors }
}
