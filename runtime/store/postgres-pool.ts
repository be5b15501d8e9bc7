import type { Options } from "postgres"
import { lost, PostgresLink } from "./postgres-link.ts"

/** Connections that are used in turn. One that breaks is dropped, and its place is free for a new one. */
export class PostgresPool {
  readonly #options: Options<Record<string, never>>
  readonly #most: number
  readonly #idle: PostgresLink[] = []
  readonly #busy = new Set<PostgresLink>()
  readonly #waiting: ((link: PostgresLink | undefined) => void)[] = []
  #isEnding = false
  readonly #ended = Promise.withResolvers<void>()

  constructor(options: Options<Record<string, never>>, most: number) {
    this.#options = options
    this.#most = most
  }

  async use<A>(work: (link: PostgresLink) => Promise<A>): Promise<A> {
    const link = await this.#take()
    try {
      return await work(link)
    } finally {
      this.#give(link)
    }
  }

  /** Resolves when everything that was begun is done, and every connection is closed. */
  async end(): Promise<void> {
    this.#isEnding = true
    for (const refuse of this.#waiting.splice(0)) refuse(undefined)
    if (this.#busy.size > 0) await this.#ended.promise
    await Promise.all(this.#idle.splice(0).map((link) => link.end()))
  }

  async #take(): Promise<PostgresLink> {
    if (this.#isEnding) throw lost("the store is closed", "CONNECTION_ENDED")
    const link = this.#next() ?? (await new Promise<PostgresLink | undefined>((take) => this.#waiting.push(take)))
    if (link === undefined) throw lost("the store is closed", "CONNECTION_ENDED")
    return link
  }

  /** An idle one, the last used first, or a new one where there is room. */
  #next(): PostgresLink | undefined {
    let link = this.#idle.pop()
    while (link?.isLost) link = this.#idle.pop()
    if (link === undefined && this.#busy.size >= this.#most) return undefined
    link ??= new PostgresLink(this.#options)
    this.#busy.add(link)
    return link
  }

  #give(link: PostgresLink): void {
    this.#busy.delete(link)
    if (!link.isLost) this.#idle.push(link)
    if (this.#isEnding) {
      if (this.#busy.size === 0) this.#ended.resolve()
      return
    }
    const take = this.#waiting.shift()
    if (take !== undefined) take(this.#next())
  }
}
