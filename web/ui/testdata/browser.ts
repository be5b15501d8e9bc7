import axe from "axe-core"
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { prepareChromium } from "../../../scripts/services/chromium.ts"

/** A browser that writes down whatever its pages complain of. */
export interface Looker {
  readonly browser: Browser
  /** Errors on consoles, refusals of the content security policy, dialogs that a script has opened. */
  readonly complaints: string[]
  context(options?: BrowserContextOptions): Promise<BrowserContext>
  close(): Promise<void>
}

export async function openBrowser(): Promise<Looker> {
  // As root, Chromium has no sandbox of its own.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : []
  const browser = await chromium.launch({ executablePath: prepareChromium(), args })
  const complaints: string[] = []
  return {
    browser,
    complaints,
    close: () => browser.close(),
    async context(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, ...options })
      context.setDefaultTimeout(50_000)
      context.on("page", (page) => {
        page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`))
        page.on("dialog", (dialog) => {
          complaints.push(`${page.url()}: a script has opened a dialog: ${dialog.message()}`)
          void dialog.dismiss()
        })
        page.on("console", (message) => {
          // A refusal by the server is told on the page, and by the browser besides.
          if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
            complaints.push(`${page.url()}: ${message.text()}`)
        })
      })
      return context
    },
  }
}

/** What axe finds wrong with a page that is worse than moderate, one line each; by all of its rules, or by some. */
export async function violations(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  if (rules?.length === 0) return []
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) }
  // Sent as a script of the test, which the policy of the pages does not concern.
  const found = (await page.evaluate(
    `(async () => { ${axe.source}; return (await axe.run(document, ${JSON.stringify(options)})).violations })()`,
  )) as axe.AxeResults["violations"]
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${new URL(page.url()).pathname} ${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`)
}

/** How far a page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
