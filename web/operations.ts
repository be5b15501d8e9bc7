import { Hono } from "hono"

/** What machines ask of a server: is it there, can it work, how does it do. */
export interface Operations {
  /** Why it cannot work just now; undefined where it can. */
  readiness(): Promise<string | undefined>
  /** In the text format of Prometheus. */
  metrics(): Promise<string>
  /** Whether the request may read metrics. */
  mayReadMetrics(request: Request): boolean
}

/** `/healthz`, `/readyz` and `/metrics`: outside the API, since they are asked every few seconds and by no person. */
export function operationsApp({ readiness, metrics, mayReadMetrics }: Operations): Hono {
  const app = new Hono()
  app.get("/healthz", (context) => context.text("ok\n", 200, HEADERS))
  app.get("/readyz", async (context) => {
    const trouble = await readiness()
    return trouble === undefined ? context.text("ready\n", 200, HEADERS) : context.text(`${trouble}\n`, 503, HEADERS)
  })
  app.get("/metrics", async (context) => {
    if (!mayReadMetrics(context.req.raw)) return context.text("Not for you\n", 403, HEADERS)
    const text = await metrics()
    return context.body(text, 200, { ...HEADERS, "content-type": "text/plain; version=0.0.4; charset=utf-8" })
  })
  return app
}

const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" }
