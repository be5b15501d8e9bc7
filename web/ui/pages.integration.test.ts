import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { SQL } from "bun"
import type { BrowserContext, Page } from "playwright-core"
import { postgres } from "../../scripts/services/services.ts"
import { type Looker, openBrowser, overflow, violations } from "./testdata/browser.ts"
import { callApi } from "./testdata/call-api.ts"
import { type Served, startServer } from "./testdata/served.ts"

/** Somebody uses a fresh server, from its setup link on; what one test makes, later ones use. */
let server: Served
let looker: Looker
let context: BrowserContext
let page: Page

const PASSWORD = "four words in a row"
/** Rows that take weeks, on however fast a machine. */
const ENDLESS = 100_000_000_000_000
const HOSTILE = "<img src=x onerror=alert(1)>"

beforeAll(async () => {
  ;[server, looker] = await Promise.all([startServer(), openBrowser()])
  context = await looker.context({ timezoneId: "Europe/Berlin" })
  page = await context.newPage()
}, 240_000)

afterAll(async () => {
  await looker?.close()
  await server?.stop()
}, 60_000)

const go = async (path: string) => {
  await page.goto(server.url + path)
  await page.waitForSelector("h1")
}
const button = (name: string | RegExp) => page.getByRole("button", { name })

test("pages make the first administrator by the one-time link", async () => {
  await page.goto(server.url)
  await page.getByText("Nobody can sign in yet").waitFor()
  await page.goto(server.setup)
  await page.getByLabel("Name to sign in with").fill("ada")
  await page.getByLabel("Your name").fill(`Ada ${HOSTILE}`)
  await page.getByLabel("Password", { exact: true }).fill("short")
  await page.getByLabel("Password once more").fill("other")
  await page.getByText("This is not the same password").waitFor()
  // The secret of the link is in no address any more.
  expect(new URL(page.url()).hash).toBe("")
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD)
  await page.getByLabel("Password once more").fill(PASSWORD)
  await button("Make it").click()
  await page.getByText("Start here").waitFor()
  await page.getByText(`Ada ${HOSTILE}`).first().waitFor()
})

test("pages say of a setup link that was used that it was used", async () => {
  const other = await (await looker.context()).newPage()
  await other.goto(server.setup)
  await other.getByText("This has been done already").waitFor()
  expect(await other.getByLabel("Password", { exact: true }).count()).toBe(0)
  await other.getByRole("link", { name: "Sign in" }).click()
  await other.getByRole("button", { name: "Sign in" }).waitFor()
  expect(await other.getByText("Nobody can sign in yet").count()).toBe(0)
  await other.context().close()
})

test("pages keep somebody out who has the wrong password, and say no more than that", async () => {
  const other = await (await looker.context()).newPage()
  await other.goto(`${server.url}/flows`)
  await other.getByLabel("Name").fill("ada")
  await other.getByLabel("Password").fill("not the password at all")
  await other.getByRole("button", { name: "Sign in" }).click()
  await other.getByRole("alert").waitFor()
  await other.getByLabel("Password").fill(PASSWORD)
  await other.getByRole("button", { name: "Sign in" }).click()
  // Whoever signs in is where they wanted to go.
  await other.getByRole("heading", { name: "Flows", level: 1 }).waitFor()
  await other.context().close()
})

test("pages add a data source by a form that its plugin has drawn, and test it before", async () => {
  const service = await postgres()
  const database = await service.createDatabase("pages")
  const sql = new SQL(service.urlOf(database))
  await sql`create table orders (id bigint primary key, customer varchar(40) not null, total numeric(12,2))`
  await sql.unsafe(`comment on column orders.customer is '${HOSTILE}'`)
  await sql`insert into orders select n, 'customer ' || n, n * 1.5 from generate_series(1, 500) n`
  await sql.end()

  await go("/new-source")
  await page.getByLabel("Name", { exact: true }).fill("shop") // stays, whatever type is chosen then
  await page.getByText("PostgreSQL", { exact: true }).click()
  await page.getByLabel("Description").fill(HOSTILE)
  await page.getByLabel("Host").fill(service.host)
  await page.getByLabel("Port").fill(String(service.port))
  await page.getByLabel("Database", { exact: true }).fill(database)
  await page.getByLabel("User").fill(service.user)
  await page.getByLabel("Password").fill("wrong")
  await page.getByLabel("TLS", { exact: true }).selectOption("require")
  await button("Test the connection").click()
  const wrong = page.getByText(/password authentication failed/).first()
  await wrong.waitFor()
  await page.getByLabel("Password").fill(service.password)
  await button("Test the connection").click()
  await page.getByText(/Connected to PostgreSQL/).waitFor()
  await button("Add the data source").click()
  await page.getByRole("button", { name: /orders/ }).click()
  await page.getByText(/varying\(40\)|varchar\(40\)/).waitFor()
  await page.getByText(HOSTILE).first().waitFor()

  await go("/sources/shop")
  // What is kept is not told.
  expect(await page.getByLabel("Password").inputValue()).toBe("")
  expect(await page.getByLabel("Password").getAttribute("placeholder")).toContain("Kept")
  expect(JSON.stringify(await page.evaluate(() => ({ ...sessionStorage })))).not.toContain(service.password)
})

test("pages make a flow, check it while it is written, and complete what is typed", async () => {
  await go("/new-flow")
  await page.getByLabel("Name").fill("demo")
  await page.getByLabel("Folder").fill("first/steps")
  await page.getByLabel("Description").fill(HOSTILE)
  await button("Make the flow").click()
  await page.getByText("Checked: it can run").waitFor()
  await page.getByRole("button", { name: /make/ }).waitFor()

  const editor = page.locator(".cm-content")
  await editor.click()
  await page.keyboard.press("Control+Home")
  await page.keyboard.press("ArrowDown")
  await page.keyboard.press("End")
  await page.keyboard.press("Enter")
  await page.keyboard.type('"na')
  await page.locator(".cm-tooltip-autocomplete li").first().waitFor()
  await page.locator(".cm-tooltip-autocomplete li", { hasText: '"name"' }).waitFor()
  await page.keyboard.press("Escape")
  // An unfinished script is no JSON: the editor marks the place.
  await page.locator(".cm-lint-marker-error").first().waitFor()
  await button(/^Discard$/).click()
  await page.getByText("Checked: it can run").waitFor()
})

test("pages show what the check has found beside the step that it belongs to", async () => {
  await replaceInScript('"use": "select"', '"use": "selekt"')
  await page.getByText(/problem(s)? keep/).waitFor()
  await page.getByRole("tab", { name: /Problems/ }).click()
  await page.getByRole("button", { name: /selekt/ }).click()
  // Choosing the problem has put the cursor at its place.
  await page.locator(".cm-activeLine", { hasText: "selekt" }).waitFor()
  // What somebody writes outlives a reload.
  await page.reload()
  await page.getByText("Not saved").waitFor()
  await button(/^Discard$/).click()
  await page.getByText("Checked: it can run").waitFor()
})

test("pages tell of somebody who was faster, and lose nothing that was typed", async () => {
  await replaceInScript('"rows": 10000', '"rows": 2000')
  await callApi(page, "PUT", "/flows/demo", { version: 1, description: "changed by somebody else", remark: "Faster" })
  await button("Save").click()
  await page.getByText(/Version 2 was saved meanwhile/).waitFor()
  expect(await page.locator(".cm-content").innerText()).toContain('"rows": 2000')
  await button("Keep mine").click()
  await button("Save").click()
  await page.getByText("Saved as version 3").waitFor()
})

test("pages run a flow and follow it to a receipt that adds up", async () => {
  await go("/flows/demo")
  await button("Run…").click()
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click()
  await page.getByText("Succeeded").first().waitFor()
  await page.getByRole("tab", { name: "Receipt" }).click()
  await page.getByText("adds up").first().waitFor()
  const receipt = page.getByRole("region", { name: "Receipt" })
  expect(await receipt.locator("tfoot").innerText()).toMatch(/2,000/)
  expect(await receipt.getByText("does not add up").count()).toBe(0)
})

test("pages follow a run live, cancel it, and resume it", async () => {
  const columns = [{ name: "id", type: "int64", sequence: true }]
  const flow = {
    version: 1,
    steps: [
      { id: "make", use: "rows-input", config: { rows: ENDLESS, columns } },
      { id: "count", use: "discard-output" },
    ],
    hops: [{ from: "make", to: "count" }],
  }
  await callApi(page, "POST", "/flows", { name: "endless", document: JSON.stringify(flow) })
  await go("/flows/endless")
  await button("Run…").click()
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click()
  await page.getByRole("heading", { name: "Throughput" }).waitFor()
  const read = page.locator("td[data-label=Out]").first()
  const before = await read.innerText()
  // Counts go up without anybody asking.
  await page.waitForFunction(
    (before) => document.querySelector<HTMLElement>("td[data-label=Out]")?.innerText !== before,
    before,
  )
  await button("Cancel run").click()
  await button("Cancel it").click()
  await page.locator(".page-head").getByText("Cancelled").waitFor()
  await button("Resume…").click()
  await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click()
  await page.locator(".page-head").getByText("Running").waitFor()
  await button("Cancel run").click()
  await button("Cancel it").click()
  await page.locator(".page-head").getByText("Cancelled").waitFor()
})

test("pages notice that a run has gone on between what they read and its first event", async () => {
  const { id } = (await callApi(page, "POST", "/flows/endless/runs", {})) as { id: string }
  await page.route(
    `**/api/v1/runs/${id}`,
    async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...(await response.json()), status: "queued" } })
    },
    { times: 1 },
  )
  await go(`/runs/${id}`)
  await page.locator(".page-head").getByText("Running").waitFor()
  await callApi(page, "POST", `/runs/${id}/cancel`, {})
  await page.locator(".page-head").getByText("Cancelled").waitFor()
})

test("pages move rows between tables of a data source, and keep those that cannot be written", async () => {
  const flow = {
    version: 1,
    steps: [
      { id: "read", use: "postgres-input", config: { dataSource: "shop", table: "public.orders" } },
      { id: "cast", use: "select", config: { change: [{ column: "customer", as: "customer", type: "int32" }] } },
      { id: "count", use: "discard-output" },
    ],
    hops: [
      { from: "read", to: "cast" },
      { from: "cast", to: "count" },
    ],
    settings: { errorLimit: 1000 },
  }
  await callApi(page, "POST", "/flows", { name: "rejects", document: JSON.stringify(flow, null, 2) })
  await go("/flows/rejects")
  await page.getByRole("tab", { name: "Preview" }).click()
  await page.getByLabel("At which step").selectOption("read")
  await button("Show rows").click()
  await page.getByRole("cell", { name: "customer 1", exact: true }).waitFor()
  await page.getByRole("tab", { name: "Plan" }).click()
  await button("Plan").last().click()
  await page
    .getByText(/3 columns/)
    .first()
    .waitFor()
  await button("Run…").click()
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click()
  await page.getByText("Succeeded").first().waitFor()
  await page.getByRole("tab", { name: /Rejected rows\s*500/ }).click()
  await page.getByText("Whole row").first().click()
  await page.getByText("customer 1", { exact: true }).first().waitFor()
  await button("Drop…").click()
  await button("Drop them").click()
  await page.getByText("500 rows dropped").waitFor()
})

test("pages show how far a flow has read, set that right and forget it", async () => {
  const config = { dataSource: "shop", table: "public.orders", incremental: { column: "id" } }
  const flow = {
    version: 1,
    steps: [
      { id: "read", use: "postgres-input", config },
      { id: "count", use: "discard-output" },
    ],
    hops: [{ from: "read", to: "count" }],
  }
  await callApi(page, "POST", "/flows", { name: "growing", document: JSON.stringify(flow) })
  await callApi(page, "POST", "/flows/growing/runs?wait=30s", {})
  await go("/flows/growing/runs")
  const marks = page.getByRole("region", { name: "Read so far" })
  await marks.getByText("shop: public.orders by id").waitFor()
  await button("Set…").click()
  const dialog = page.getByRole("dialog")
  await dialog.getByLabel("Mark").fill("yesterday")
  await dialog.getByRole("button", { name: "Set", exact: true }).click()
  await dialog.getByText('The mark "yesterday" is no value of column "id"').first().waitFor()
  await dialog.getByLabel("Mark").fill("17")
  await dialog.getByRole("button", { name: "Set", exact: true }).click()
  await marks.getByRole("cell", { name: "17", exact: true }).waitFor()
  await marks.getByText("by hand").waitFor()
  await button("Forget…").click()
  await button("Forget it").click()
  await marks.waitFor({ state: "detached" })
})

test("pages schedule a flow, with errors beside the fields and the next ten firings", async () => {
  await go("/flows/demo/schedules/new")
  expect(await page.getByLabel("Time zone").inputValue()).toBe("Europe/Berlin")
  await page.getByLabel("Name").fill("nightly")
  // A time that every day has, also where clocks are put forward.
  await page.getByLabel("At", { exact: true }).fill("04:30")
  await page.getByLabel("Time zone").fill("Mars/Olympus")
  await button("Add the schedule").click()
  const zone = page.getByLabel("Time zone")
  await page.locator(".field", { has: zone }).getByRole("alert").waitFor()
  expect(await zone.getAttribute("aria-invalid")).toBe("true")
  await zone.fill("Europe/Berlin")
  await page.locator(".firings li").nth(9).waitFor()
  expect(await page.locator(".firings li").first().innerText()).toContain("04:30")
  await button("Add the schedule").click()
  await page.getByRole("link", { name: "nightly" }).waitFor()
  await button("Pause").click()
  await page.getByText("Paused").waitFor()
  await button("Resume").click()
  await page.getByText("Active").waitFor()
})

test("pages remember across a reload which version of a form somebody has changed", async () => {
  await go("/flows/demo/schedules")
  await page.getByRole("link", { name: "nightly" }).click()
  await page.getByLabel("Name").fill("mine")
  const id = page.url().split("/").at(-1)
  const saved = await page.evaluate(async (id) => (await fetch(`/api/v1/schedules/${id}`)).json(), id)
  const { name: _, version, recurrence, timeZone, mode, missed, effectiveFrom, effectiveTo, parameters } = saved
  const rest = { recurrence, timeZone, mode, missed, effectiveFrom, effectiveTo, parameters, environment: "prod" }
  await callApi(page, "PUT", `/schedules/${id}`, { ...rest, name: "theirs", version })
  await page.reload()
  await page.getByText("Somebody else has changed this schedule meanwhile").waitFor()
  expect(await page.getByLabel("Name").inputValue()).toBe("mine")
  expect(await button(/^Save$/).isDisabled()).toBe(true)
  await button("Save mine over it").click()
  await page.getByText("The schedule was saved").waitFor()
  await page.getByRole("heading", { name: "mine" }).waitFor()
})

test("pages show a trigger's token once, with a command that starts the flow", async () => {
  await go("/flows/demo/triggers")
  await button("Add a trigger").first().click()
  await page.getByRole("dialog").getByLabel("Name").fill("billing")
  await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click()
  const command = await page.getByRole("region", { name: "Example with curl" }).innerText()
  const child = Bun.spawn(["sh", "-c", command], { stdout: "pipe", stderr: "inherit" })
  expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({ flowName: "demo", status: "succeeded" })
  await button("I have kept it").click()
  await page.reload()
  await page.getByText("billing").waitFor()
  expect(await page.locator("main").innerText()).toMatch(/just now|minute/)
  const token = /Bearer (\S+)'/.exec(command)?.[1] ?? ""
  expect(token.length).toBeGreaterThan(20)
  expect(await page.content()).not.toContain(token)
})

test("pages invite somebody, who chooses a password and is offered only what they may", async () => {
  await go("/users")
  await button("Invite somebody").click()
  const dialog = page.getByRole("dialog")
  await dialog.getByLabel("Name to sign in with").fill("grace")
  await dialog.getByLabel("Their name").fill("Grace")
  await dialog.getByRole("button", { name: "Invite" }).click()
  const link = await page.getByRole("region", { name: "Link" }).innerText()
  const other = await (await looker.context()).newPage()
  await other.goto(link)
  await other.getByLabel("Password", { exact: true }).fill("another four words here")
  await other.getByLabel("Password once more").fill("another four words here")
  await other.getByRole("button", { name: "Use this password" }).click()
  await other.getByRole("heading", { name: "Overview" }).waitFor()
  expect(await other.getByRole("link", { name: "Audit log" }).count()).toBe(0)
  await other.goto(`${server.url}/flows/demo`)
  await other.getByText("Checked").waitFor()
  expect(await other.getByRole("button", { name: "Run…" }).count()).toBe(0)
  expect(await other.locator(".cm-content").getAttribute("contenteditable")).toBe("false")
  await other.context().close()
})

test("pages make an API token that is shown once and works", async () => {
  await go("/account")
  await button("New token").click()
  await page.getByRole("dialog").getByLabel("Name").fill("laptop")
  await button("Make the token").click()
  const token = await page.getByRole("region", { name: "Token", exact: true }).innerText()
  const answer = await fetch(`${server.url}/api/v1/flows`, { headers: { authorization: `Bearer ${token}` } })
  expect(answer.status).toBe(200)
  await button("I have kept it").click()
  await page.getByText("laptop").waitFor()
})

test("pages change a setting, and show it in the audit log", async () => {
  await go("/settings")
  await page.getByLabel("Idle hours").fill("1000")
  await button("Save").click()
  await page
    .locator(".field", { has: page.getByLabel("Idle hours") })
    .getByRole("alert")
    .waitFor()
  await page.getByLabel("Idle hours").fill("24")
  await button("Save").click()
  await page.getByText("The settings were saved").waitFor()
  await go("/audit")
  await page.getByText("settings.changed").first().waitFor()
})

test("pages take the keyboard: skip link, shortcuts, dialogs that keep the focus and give it back", async () => {
  await go("/")
  await page.keyboard.press("Tab")
  expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Skip to the content")
  await page.keyboard.press("Enter")
  await page.waitForFunction(() => document.activeElement?.id === "main")
  await page.keyboard.press("g")
  await page.keyboard.press("f")
  await page.getByRole("heading", { name: "Flows", level: 1 }).waitFor()
  await page.keyboard.press("?")
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor()
  for (let nth = 0; nth < 6; nth++) {
    await page.keyboard.press("Tab")
    // From its last element the focus goes to the browser's own controls, and never behind the dialog.
    const isBehind = await page.evaluate(
      () => document.activeElement !== document.body && !document.activeElement?.closest("dialog"),
    )
    expect(isBehind).toBe(false)
  }
  await page.keyboard.press("Escape")
  await page.getByRole("dialog").waitFor({ state: "hidden" })
  await page.keyboard.press("Control+k")
  await page.waitForFunction(() => document.activeElement?.closest("dialog") && document.activeElement.matches("input"))
  await page.keyboard.type("dem")
  await page.getByRole("option", { name: /demo/ }).waitFor()
  await page.keyboard.press("Enter")
  await page.waitForURL("**/flows/demo")
})

test("pages let somebody sign in again over what they are writing when their session has ended", async () => {
  await go("/new-flow")
  await page.getByLabel("Name").fill("half written")
  await context.clearCookies()
  await button("Make the flow").click()
  const dialog = page.getByRole("dialog", { name: "Your session has ended" })
  await dialog.getByLabel("Password").fill(PASSWORD)
  await dialog.getByRole("button", { name: "Sign in" }).click()
  await page.getByText("You are signed in again").waitFor()
  expect(await page.getByLabel("Name").inputValue()).toBe("half written")
})

describe("pages are for everybody:", () => {
  const paths = [
    ...["/", "/flows", "/new-flow", "/flows/demo", "/flows/demo/runs", "/flows/demo/schedules", "/flows/demo/triggers"],
    ...["/flows/demo/versions", "/flows/demo/properties", "/runs", "/sources", "/new-source", "/sources/shop"],
    ...[
      "/sources/shop/tables",
      "/sources/shop/flows",
      "/sources/shop/grants",
      "/schedules",
      "/webhooks",
      "/users",
      "/account",
      "/audit",
    ],
    ...["/settings", "/components", "/components/postgres-input", "/docs", "/docs/flow", "/nowhere"],
  ]
  const kinds = [
    ["light", { colorScheme: "light" }, undefined],
    // What else axe looks at is the same in every light, and on every screen.
    ["dark", { colorScheme: "dark" }, ["color-contrast"]],
    ["phone", { viewport: { width: 375, height: 740 }, isMobile: true, hasTouch: true }, []],
  ] as const

  test.each(kinds)(
    "%s",
    async (_, options, rules) => {
      const other = await looker.context({ ...options, storageState: await context.storageState() })
      const view = await other.newPage()
      const faults: string[] = []
      for (const path of paths) {
        await view.goto(server.url + path)
        await view.waitForSelector("h1")
        await view.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null)
        faults.push(...(await violations(view, rules)))
        const wide = await overflow(view)
        if (wide > 0) faults.push(`${path} is ${wide} pixels wider than its window`)
      }
      await other.close()
      expect(faults).toEqual([])
    },
    400_000,
  )
})

test("pages never made a browser complain, nor ran what stands in a name", () => {
  expect(looker.complaints).toEqual([])
})

/** Types over a part of the script, found by the editor's own search. */
async function replaceInScript(before: string, after: string): Promise<void> {
  await page.locator(".cm-content").click()
  await page.keyboard.press("Control+f")
  await page.keyboard.type(before)
  await page.keyboard.press("Enter")
  await page.keyboard.press("Escape")
  await page.keyboard.insertText(after)
}

/** What another program would do at the same time, with the session of the page. */
