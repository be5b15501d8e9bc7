import { afterAll, beforeAll, expect, test } from "bun:test"
import type { Page } from "playwright-core"
import { type Looker, openBrowser } from "./testdata/browser.ts"
import { callApi } from "./testdata/call-api.ts"
import { type Served, startServer } from "./testdata/served.ts"

let server: Served
let looker: Looker
let page: Page

const PASSWORD = "four words in a row"
const HOSTILE = "<img src=x onerror=alert(1)>"

beforeAll(async () => {
  ;[server, looker] = await Promise.all([startServer(), openBrowser()])
  page = await (await looker.context()).newPage()
  await page.goto(server.setup)
  await page.getByLabel("Name to sign in with").fill("ada")
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD)
  await page.getByLabel("Password once more").fill(PASSWORD)
  await page.getByRole("button", { name: "Make it" }).click()
  await page.getByText("Start here").waitFor()
}, 240_000)

afterAll(async () => {
  await looker?.close()
  await server?.stop()
}, 60_000)

const steps = [
  { id: "make", use: "rows-input", config: { columns: [{ name: "id", type: "int64" }], rows: 3 } },
  { id: "drop", use: "discard-output", config: {} },
]
const document = JSON.stringify({ version: 1, name: HOSTILE, steps, hops: [{ from: "make", to: "drop" }] })

test("a document is not taken for a flow of its name, and its title leaves room for other columns", async () => {
  const title = "orders".padEnd(100, "s")
  const { id } = (await callApi(page, "POST", "/runs?wait=30s", { title, document })) as { id: string }
  await page.goto(`${server.url}/runs`)
  const row = page.getByRole("row").filter({ has: page.locator(`a[href="/runs/${id}"]`) })
  await row.getByText("not saved", { exact: true }).waitFor()
  const hidden = await page.locator("main table").evaluate((table) => {
    const box = table.parentElement!
    return box.scrollWidth - box.clientWidth
  })
  expect(hidden).toBe(0)
})

test("a run of a document that is not saved has a page with its document, and no flow to go to", async () => {
  const body = { title: HOSTILE, document, overrides: { parallel: 2, errorLimit: 1234 } }
  const { id } = (await callApi(page, "POST", "/runs?wait=30s", body)) as { id: string }
  await page.goto(`${server.url}/runs?text=onerror`)
  await page.getByRole("link", { name: HOSTILE }).click()
  await page.getByText("succeeded").first().waitFor()
  expect(new URL(page.url()).pathname).toBe(`/runs/${id}`)
  const facts = await page.getByRole("main").innerText()
  for (const fact of ["Not saved", "In parallel", "Error limit", "1,234"]) expect(facts).toContain(fact)
  expect(
    await page
      .getByRole("main")
      .getByRole("link", { name: /Version/ })
      .count(),
  ).toBe(0)
  await page.getByRole("tab", { name: "Document" }).click()
  await page.getByText('"use": "discard-output"').waitFor()
  expect(looker.complaints).toEqual([])
})
