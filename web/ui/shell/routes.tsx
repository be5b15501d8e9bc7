import { type ComponentType, type LazyExoticComponent, lazy } from "react"
import { matchPath, type Params } from "../route/router.tsx"

export type PageComponent = ComponentType<{ readonly params: Params }>
type Loaded = Promise<{ readonly default: PageComponent }>

interface Route {
  readonly pattern: string
  readonly page: LazyExoticComponent<PageComponent>
  /** Uses the whole width. */
  readonly isWide?: boolean
}

const route = (pattern: string, load: () => Loaded, isWide = false): Route => ({ pattern, page: lazy(load), isWide })

const flow = () => import("../pages/flow/flow-page.tsx")
const source = () => import("../pages/source/source-page.tsx")
const docs = () => import("../pages/docs/docs-page.tsx")
const schedule = () => import("../pages/schedules/schedule-page.tsx")

/** Every page is a part of its own, loaded when it is first looked at. The first pattern that fits wins. */
const ROUTES: readonly Route[] = [
  route("/", () => import("../pages/overview/overview-page.tsx")),
  route("/flows", () => import("../pages/flows/flows-page.tsx")),
  route("/new-flow", () => import("../pages/flows/new-flow-page.tsx")),
  route("/flows/:name", flow, true),
  route("/flows/:name/:tab", flow, true),
  route("/runs", () => import("../pages/runs/runs-page.tsx")),
  route("/runs/:id", () => import("../pages/run/run-page.tsx")),
  route("/sources", () => import("../pages/sources/sources-page.tsx")),
  route("/new-source", () => import("../pages/source/new-source-page.tsx")),
  route("/sources/:name", source),
  route("/sources/:name/:tab", source),
  route("/schedules", () => import("../pages/schedules/schedules-page.tsx")),
  route("/flows/:flow/schedules/new", schedule),
  route("/schedules/:id", schedule),
  route("/webhooks", () => import("../pages/webhooks/webhooks-page.tsx")),
  route("/webhooks/:id", () => import("../pages/webhooks/webhook-page.tsx")),
  route("/components", () => import("../pages/components/components-page.tsx")),
  route("/components/:id", () => import("../pages/components/component-page.tsx")),
  route("/docs", docs),
  route("/docs/*", docs),
  route("/users", () => import("../pages/users/users-page.tsx")),
  route("/audit", () => import("../pages/audit/audit-page.tsx")),
  route("/settings", () => import("../pages/settings/settings-page.tsx")),
  route("/account", () => import("../pages/account/account-page.tsx")),
  route("/*", () => import("../pages/missing/missing-page.tsx")),
]

export function findRoute(path: string): { readonly route: Route; readonly params: Params } | undefined {
  for (const route of ROUTES) {
    const params = matchPath(route.pattern, path)
    if (params) return { route, params }
  }
  return undefined
}
