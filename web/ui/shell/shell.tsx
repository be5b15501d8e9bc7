import { Suspense, useCallback, useEffect, useRef, useState } from "react"
import { IconButton } from "../parts/button.tsx"
import { Dialog } from "../parts/dialog.tsx"
import { Mark } from "../parts/icon.tsx"
import { Skeleton } from "../parts/page.tsx"
import { Toasts } from "../parts/toast.tsx"
import { Link, usePath } from "../route/router.tsx"
import { Failing } from "./failing.tsx"
import { KeysHelp, useKeys } from "./keys.tsx"
import { Palette } from "./palette.tsx"
import { findRoute } from "./routes.tsx"
import { Side } from "./side.tsx"

/** What stands around every page of somebody who is signed in. */
export function Shell() {
  const path = usePath()
  const [open, setOpen] = useState<"menu" | "search" | "keys">()
  const main = useRef<HTMLElement>(null)
  const close = useCallback(() => setOpen(undefined), [])
  const search = useCallback(() => setOpen("search"), [])
  const help = useCallback(() => setOpen("keys"), [])
  useKeys({ search, help })
  useFocusOnPage(path, main)
  const found = findRoute(path)
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <div className="shell">
        <Side search={search} />
        <header className="top">
          <Link className="brand" to="/">
            <Mark />
            Headrace
          </Link>
          <IconButton label="Search" icon="search" onClick={search} />
          <IconButton label="Menu" icon="menu" onClick={() => setOpen("menu")} />
        </header>
        <main id="main" ref={main} tabIndex={-1} className="content">
          <div className={`content-inner ${found?.route.isWide ? "full" : ""}`}>
            <Failing key={path}>
              <Suspense fallback={<Skeleton lines={8} />}>
                {found && <found.route.page params={found.params} />}
              </Suspense>
            </Failing>
          </div>
        </main>
      </div>
      {open === "menu" && (
        <Dialog bare title="Menu" className="drawer" close={close}>
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: following a link closes the menu, by key as well */}
          {/* biome-ignore lint/a11y/noStaticElementInteractions: as above */}
          <div onClick={(event) => event.target instanceof Element && event.target.closest("a") && close()}>
            <Side search={search} />
          </div>
        </Dialog>
      )}
      {open === "search" && <Palette close={close} />}
      {open === "keys" && <KeysHelp close={close} />}
      <Toasts />
    </>
  )
}

/** Somebody who cannot see is told of another page by its heading; tabs of one page keep the focus. */
function useFocusOnPage(path: string, main: { readonly current: HTMLElement | null }): void {
  const before = useRef(path)
  useEffect(() => {
    const first = (one: string) => one.split("/").slice(0, 3).join("/")
    if (first(before.current) !== first(path)) main.current?.focus({ preventScroll: true })
    before.current = path
  }, [path, main])
}
