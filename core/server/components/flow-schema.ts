import { flowSchema } from "../../flow/flow-schema.ts"
import type { Catalogue, KnownComponent } from "./catalogue.ts"

/** The schema of flow documents with the options of every component that is installed, told by `use`: for editors. */
export function fullFlowSchema({ all }: Pick<Catalogue["Service"], "all">): Readonly<Record<string, unknown>> {
  const usable = all.filter(({ kind }) => kind !== "database")
  const steps = flowSchema.properties.steps as unknown as StepsSchema // written in `flow-schema.ts`
  const { items } = steps
  const use = { ...items.properties.use, enum: usable.map(({ id }) => id) }
  return {
    ...flowSchema,
    properties: {
      ...flowSchema.properties,
      steps: {
        ...steps,
        items: { ...items, properties: { ...items.properties, use }, allOf: usable.map(optionsByUse) },
      },
    },
    $defs: Object.fromEntries(usable.map(({ id, title, config }) => [id, { title, ...config }])),
  }
}

interface StepsSchema {
  readonly items: { readonly properties: Readonly<Record<"use", object>> }
}

function optionsByUse({ id, summary }: KnownComponent) {
  return {
    if: { properties: { use: { const: id } }, required: ["use"] },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { properties: { use: { description: summary }, config: { $ref: `#/$defs/${id}` } } },
  }
}
