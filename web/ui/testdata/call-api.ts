import { expect } from "bun:test"
import type { Page } from "playwright-core"

/** Asks the API as the page itself would, signed in as it is; gives what is answered. */
export async function callApi(page: Page, method: string, path: string, body: unknown): Promise<unknown> {
  const { status, text } = await page.evaluate(
    async ([method, path, body]) => {
      const { csrf } = (await (await fetch("/api/v1/me")).json()) as { csrf: string }
      const headers = { "content-type": "application/json", "x-csrf-token": csrf }
      const answer = await fetch(`/api/v1${path}`, { method: method!, headers, body: body! })
      return { status: answer.status, text: await answer.text() }
    },
    [method, path, JSON.stringify(body)] as const,
  )
  expect(status).toBeLessThan(300)
  return text === "" ? undefined : JSON.parse(text)
}
