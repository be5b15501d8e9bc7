import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** How this machine's user reaches a server. */
export interface Credential {
  readonly token: string
  readonly user: string
  /** Of the token, by which it is revoked when another takes its place; absent where it was brought. */
  readonly tokenId?: string
}

/** What is known of servers, by their address; kept in a file that its owner only can read. Throws where it cannot be. */
export interface Credentials {
  find(url: string): Credential | undefined
  keep(url: string, credential: Credential): void
  forget(url: string): boolean
}

export function openCredentials(home: string): Credentials {
  const file = openJsonFile<Credential>(join(home, "servers.json"))
  return {
    find: (url) => file.read().get(url),
    keep: (url, credential) => file.change((entries) => entries.set(url, credential)),
    forget(url) {
      if (!file.read().has(url)) return false
      file.change((entries) => entries.delete(url))
      return true
    },
  }
}

/** A small file of entries by name, which its owner only can read. */
export function openJsonFile<T>(path: string) {
  const read = (): Map<string, T> => {
    try {
      const entries = JSON.parse(readFileSync(path, "utf8")) as Record<string, T> // as it was written here
      return new Map(Object.entries(entries))
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return new Map()
      throw new Error(`Cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return {
    read,
    change(by: (entries: Map<string, T>) => unknown): void {
      const entries = read()
      by(entries)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      const unfinished = `${path}.${crypto.randomUUID()}.part`
      writeFileSync(unfinished, `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`, { mode: 0o600 })
      chmodSync(unfinished, 0o600)
      renameSync(unfinished, path)
    },
  }
}

/** The one spelling under which a server is known; undefined for what is no address of one. */
export function serverUrl(text: string): string | undefined {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`
}

/** Whether others on the way can read what is sent there. */
export function isOpenToOthers(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === "http:" && !/^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
