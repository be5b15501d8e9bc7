import { useRead } from "../api/query.ts"
import { OPEN_RUNS } from "../pages/runs/open-runs.ts"
import { IconButton } from "../parts/button.tsx"
import { Icon, Mark } from "../parts/icon.tsx"
import { Menu } from "../parts/menu.tsx"
import { Link, usePath } from "../route/router.tsx"
import { MANAGE, type Place, READ, WORK } from "./places.ts"
import { useMay, useMe, useSession } from "./session.tsx"
import { setTheme, useTheme } from "./theme-choice.ts"

/** Where one can go, and who one is. */
export function Side({ search }: { search(): void }) {
  const may = useMay()
  const allowed = (places: readonly Place[]) => places.filter(({ needs }) => needs === undefined || may(needs))
  const manage = allowed(MANAGE)
  return (
    <header className="side">
      <Link className="brand" to="/">
        <Mark />
        Headrace
      </Link>
      <button type="button" className="jump" onClick={search}>
        <Icon name="search" />
        Go to…
        <kbd>{/Mac|iP/.test(navigator.platform) ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <nav aria-label="Main">
        <Places places={allowed(WORK)} />
        {manage.length > 0 && <div className="nav-title">Administration</div>}
        <Places places={manage} />
        <div className="nav-title">Reference</div>
        <Places places={allowed(READ)} />
      </nav>
      <div className="side-foot">
        <Me />
      </div>
    </header>
  )
}

function Places({ places }: { readonly places: readonly Place[] }) {
  const path = usePath()
  const may = useMay()
  const open = useRead("GET /runs", OPEN_RUNS, { everyMs: 5000, when: may("runs.read") })
  const busy = open.data?.items.length ?? 0
  return (
    <div className="nav">
      {places.map(({ to, text, icon }) => {
        const isHere = to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`)
        return (
          <Link key={to} to={to} aria-current={isHere ? "page" : undefined}>
            <Icon name={icon} />
            {text}
            {to === "/runs" && busy > 0 && (
              <span className="count">
                {busy === OPEN_RUNS.query.limit ? `${busy}+` : busy}
                <span className="hidden"> running or queued</span>
              </span>
            )}
          </Link>
        )
      })}
    </div>
  )
}

function Me() {
  const user = useMe()
  const { end } = useSession()
  const theme = useTheme()
  const letters = (user.displayName || user.name)
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.slice(0, 1).toUpperCase())
    .join("")
  return (
    <div className="row">
      <div className="grow">
        <Menu
          up
          button={(props) => (
            <button type="button" className="me" {...props}>
              <span className="me-face">{letters}</span>
              <span className="me-name">
                <span className="cut">{user.displayName || user.name}</span>
                <span className="small muted">{user.role}</span>
              </span>
            </button>
          )}
        >
          <Link to="/account" role="menuitem">
            <Icon name="key" /> Account and tokens
          </Link>
          <button type="button" role="menuitem" onClick={() => void end()}>
            <Icon name="out" /> Sign out
          </button>
        </Menu>
      </div>
      <IconButton
        label={theme === "dark" ? "Use the light theme" : "Use the dark theme"}
        icon={theme === "dark" ? "sun" : "moon"}
        onClick={() => setTheme(theme === "dark" ? "light" : "dark")}
      />
    </div>
  )
}
