import { type AnchorHTMLAttributes, type MouseEvent, useMemo, useSyncExternalStore } from "react"

/** A small router on the History API. Paths hold names, each part escaped. */
export function navigate(to: string, { replace = false } = {}): void {
  if (to === location.pathname + location.search) return
  history[replace ? "replaceState" : "pushState"](null, "", to)
  for (const listener of listeners) listener()
  if (!replace) scrollTo(0, 0)
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname)
}

/** What stands behind the question mark, and a way to change parts of it in place. */
export function useSearch(): readonly [
  URLSearchParams,
  (changes: Readonly<Record<string, string | undefined>>) => void,
] {
  const text = useSyncExternalStore(subscribe, () => location.search)
  const search = useMemo(() => new URLSearchParams(text), [text])
  return [search, changeSearch]
}

function changeSearch(changes: Readonly<Record<string, string | undefined>>): void {
  const next = new URLSearchParams(location.search)
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === "") next.delete(key)
    else next.set(key, value)
  }
  const text = next.toString()
  navigate(location.pathname + (text && `?${text}`), { replace: true })
}

export interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  readonly to: string
}

/** A link that stays in the page, and is a usual link in every other respect. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (event.defaultPrevented || !isPlain || rest.target === "_blank") return
    event.preventDefault()
    navigate(to)
  }
  return <a href={to} onClick={follow} {...rest} />
}

export type Params = Readonly<Record<string, string>>

/** Matches `/flows/:name` and the like; a last part `*` takes all that is left. */
export function matchPath(pattern: string, path: string): Params | undefined {
  const wanted = pattern.split("/")
  const given = path.replace(/\/+$/, "").split("/")
  if (path === "/") given.splice(0, given.length, "", "")
  const params: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    if (part === "*") {
      params["rest"] = given.slice(at).map(decode).join("/")
      return params
    }
    const text = given[at]
    if (text === undefined) return undefined
    if (part.startsWith(":")) params[part.slice(1)] = decode(text)
    else if (part !== text) return undefined
  }
  return wanted.length === given.length ? params : undefined
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  addEventListener("popstate", listener)
  return () => {
    listeners.delete(listener)
    removeEventListener("popstate", listener)
  }
}
