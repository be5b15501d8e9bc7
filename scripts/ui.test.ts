import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, utimesSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { unpackAssets } from "../web/pages/pack.ts"
import { buildUi } from "./ui.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-ui-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = await buildUi(join(folder, "ui.pack"))
const assets = unpackAssets(new Uint8Array(readFileSync(file)))
const textOf = (path: string) => new TextDecoder().decode(assets(path)?.bytes)
const page = textOf("/index.html")
const named = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path = ""]) => path)

test("ui names in its page only files that are there, and nothing of it stands in the page itself", () => {
  expect(named.length).toBeGreaterThanOrEqual(5)
  expect(named.filter((path) => assets(path) === undefined)).toEqual([])
  expect(page).not.toMatch(/<style|<script(?![^>]*src=)|style=|\{\w+\}/)
})

test("ui loads nothing from elsewhere, nor from its own text, which the policy of pages forbids", () => {
  const styles = textOf(named.find((path) => path.endsWith(".css")) ?? "")
  const addresses = [...styles.matchAll(/url\("?([^")]+)"?\)/g)].map(([, path = ""]) => path)
  expect(addresses).toEqual(["/assets/inter-5.woff2"])
  expect(assets("/assets/inter-5.woff2")?.bytes.length).toBeGreaterThan(10_000)
})

test("ui is small: what every page needs, compressed, in 120 kB and the font; the editor apart", () => {
  const first = named.filter((path) => /\.(js|css)$/.test(path))
  const size = first.reduce((sum, path) => sum + (assets(path)?.br?.length ?? 0), 0)
  expect(size).toBeGreaterThan(20_000)
  expect(size).toBeLessThan(120_000)
  expect(first.some((path) => textOf(path).includes("cm-scroller"))).toBe(false)
})

test("ui holds the documentation with a list of its pages", () => {
  const pages = JSON.parse(textOf("/docs/pages.json")) as readonly { readonly name: string; readonly title: string }[]
  expect(pages).toContainEqual({ name: "flow", title: "Flows" })
  expect(
    pages.filter(
      ({ name }) => !textOf(`/docs/${name}.md`).startsWith("#") && !textOf(`/docs/${name}.md`).startsWith("<!--"),
    ),
  ).toEqual([])
})

test("ui is made again only when something it is made of is newer", async () => {
  const made = readFileSync(file)
  await buildUi(file)
  expect(readFileSync(file).equals(made)).toBe(true)
  utimesSync(file, 0, 0)
  await buildUi(file)
  expect(Bun.file(file).lastModified).toBeGreaterThan(0)
})
