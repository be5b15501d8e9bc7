import { expect, test } from "bun:test"
import { renderToStaticMarkup } from "react-dom/server"
import { docPath } from "./doc-path.ts"
import Markdown from "./markdown.tsx"

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} />)

test("markdown shows HTML as the text that it is", () => {
  const shown = html("a <img src=x onerror=alert(1)> b\n\n<script>alert(1)</script>\n\n| <b>x</b> |\n|---|\n| `<i>` |")
  expect(shown).not.toMatch(/<(img|script|b|i)\b/)
  expect(shown).toContain("&lt;img src=x onerror=alert(1)&gt;")
  expect(shown).toContain("&lt;script&gt;")
  expect(shown).toContain("<code>&lt;i&gt;</code>")
})

test("markdown makes links of addresses of known kinds only", () => {
  expect(html("[x](javascript:alert(1)) [y](data:text/html,z) [z](//evil.example)")).not.toContain("<a")
  expect(html("[x](https://a.example)")).toContain('href="https://a.example"')
  expect(html("[x](flow.md#steps)")).toContain('href="/docs/flow#steps"')
})

test("markdown keeps what the documentation uses", () => {
  const shown = html(
    '# T\n\n## A `b`\n\n1. one\n2. *two*\n\n> q\n\n```json\n{"a": "<"}\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n',
  )
  for (const part of [
    "<h2",
    "<ol",
    "<em>two</em>",
    "<blockquote>",
    "{&quot;a&quot;: &quot;&lt;&quot;}",
    '<td class="end">2</td>',
  ])
    expect(shown).toContain(part)
})

test("markdown finds pages of the documentation from wherever they are named", () => {
  expect(docPath("../runs.md", "components")).toBe("/docs/runs")
  expect(docPath("components/README.md", "")).toBe("/docs/components/README")
  expect(docPath("./README.md", "")).toBe("/docs")
})
