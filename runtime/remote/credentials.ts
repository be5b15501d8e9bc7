import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** How this machine's user reaches a server. */
export interface Credential {
  readonly token: string
  readonly user: string
}

/** What is known of servers, by their address; kept in a file that its owner only can read. */
export interface Credentials {
  find(url: string): Credential | undefined
  keep(url: string, credential: Credential): void
  forget(url: string): boolean
}

export function openCredentials(home: string): Credentials {
  const path = join(home, "servers.json")
  const read = (): Record<string, Credential> => {
    try {
      return JSON.parse(readFileSync(path, "utf8")) as Record<string, Credential> // as it was written here
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return {}
      throw new Error(`Cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const write = (entries: Record<string, Credential>) => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const unfinished = `${path}.${crypto.randomUUID()}.part`
    writeFileSync(unfinished, `${JSON.stringify(entries, undefined, 2)}\n`, { mode: 0o600 })
    chmodSync(unfinished, 0o600)
    renameSync(unfinished, path)
  }
  return {
    find: (url) => (Object.hasOwn(read(), url) ? read()[url] : undefined),
    keep: (url, credential) => write({ ...read(), [url]: credential }),
    forget(url) {
      const { [url]: gone, ...rest } = read()
      if (gone !== undefined) write(rest)
      return gone !== undefined
    },
  }
}

/** The one spelling under which a server is known; undefined for what is no address of one. */
export function serverUrl(text: string): string | undefined {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `https://${text}`)
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return undefined
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`
}
