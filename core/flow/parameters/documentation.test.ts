import { expect, test } from "bun:test"
import { resolveParameters } from "./index.ts"

const page = await Bun.file(new URL("../../../web/docs/parameters.md", import.meta.url)).text()
const section = /\n### Examples\n([\s\S]*?)\n## /.exec(page)?.[1] ?? ""
const examples = [...section.matchAll(/^\| `(\$.*)` \| `(.*)` \|$/gm)].map(([, template, value]) => [template, value])

test("parameters behave as each of the examples in their documentation says", () => {
  const resolved = resolveParameters({
    bizdate: "2024-03-31",
    scheduledAt: "2024-04-01T08:30:15",
    timeZone: "Asia/Shanghai",
    document: { steps: [{ config: examples.map(([template]) => template) }] },
  })
  if (resolved.problems !== undefined) throw new Error(JSON.stringify(resolved.problems))
  const values = new Map(resolved.preview.map(({ name, value }) => [name.replace(/^bizdate$/, `\${bizdate}`), value]))
  expect(examples.length).toBeGreaterThan(10)
  expect(examples.map(([template = ""]) => [template, values.get(template)])).toEqual(examples)
})
