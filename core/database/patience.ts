import type { Connection, Replacement, Session } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"

/**
 * Opens a connection of which no call takes forever: not while somebody holds a lock, not when nobody is left at the
 * other end. A call that takes longer than `statementTimeoutMs` is cancelled, and fails with the names of those whom it
 * has waited for. Reading and loading have a limit of their own, `stallTimeoutMs`.
 */
export async function patient(open: (at: Session) => Promise<Connection>, session: Session): Promise<Connection> {
  const patience = new Patience(session)
  // The login, and what pins the session, come after what a plugin takes for connecting.
  const limitMs = 3 * session.settings.connectTimeoutMs
  const opening = () => open(patience.session)
  const connection = await patience.within({ what: "connect", limitMs, retryable: true }, opening, (late) =>
    late.close(),
  )
  patience.connection = connection
  const patientConnection = watched(connection, patience)
  patiences.set(patientConnection, patience)
  return patientConnection
}

/** From now on the connection serves another call: the end of that one's `session` ends what it is asked. */
export function handOver(connection: Connection, session: Session): void {
  patiences.get(connection)?.serve(session)
}

const patiences = new WeakMap<Connection, Patience>()

/** The same for anything else that is asked of a server before rows move. */
export async function inTime<A extends AsyncDisposable>(
  what: string,
  work: (at: Session) => Promise<A>,
  session: Session,
): Promise<A> {
  const patience = new Patience(session)
  const limitMs = session.settings.statementTimeoutMs
  return await patience.within(
    { what, limitMs },
    () => work(patience.session),
    (late) => late[Symbol.asyncDispose](),
  )
}

interface Limit {
  readonly what: string
  readonly limitMs: number
  readonly retryable?: boolean
}

class Patience {
  /** What the connection is opened with: its calls end when they have taken too long, too. */
  readonly session: Session
  connection: Connection | undefined
  #outside: Session
  readonly #controller = new AbortController()
  readonly #abort = () => this.#controller.abort(this.#outside.signal.reason)
  #ended: Error | undefined

  constructor(outside: Session) {
    this.#outside = outside
    this.session = { ...outside, signal: this.#controller.signal }
    this.serve(outside)
  }

  serve(outside: Session): void {
    this.#outside.signal.removeEventListener("abort", this.#abort)
    this.#outside = outside
    if (outside.signal.aborted) this.#abort()
    else outside.signal.addEventListener("abort", this.#abort, { once: true })
  }

  /** Whether a call has taken too long: the connection is of no use any more. */
  get isOver(): boolean {
    return this.#ended !== undefined
  }

  /** What comes too late is given to `drop`. */
  async within<A>(limit: Limit, work: () => Promise<A>, drop?: (late: A) => PromiseLike<void>): Promise<A> {
    if (this.#ended !== undefined) throw this.#ended
    const { promise: overdue, reject } = Promise.withResolvers<never>()
    const running = work()
    const telling = setTimeout(() => void this.#tell(limit.what), TELL_MS)
    const ending = setTimeout(() => void this.#end(limit, running).then(reject), limit.limitMs)
    try {
      return await Promise.race([running, overdue])
    } catch (error) {
      if (this.#ended !== undefined && drop !== undefined) running.then(drop).catch(() => undefined)
      throw this.#ended ?? error
    } finally {
      clearTimeout(telling)
      clearTimeout(ending)
    }
  }

  async #tell(what: string): Promise<void> {
    const waitsFor = await this.#waitsFor()
    if (waitsFor.length > 0) this.#outside.log.warn(`The server keeps us waiting: to ${what}`, { waitsFor })
  }

  /** Gives up: the server is told, and has a moment to obey. */
  async #end({ what, limitMs, retryable = false }: Limit, running: Promise<unknown>): Promise<Error> {
    const { failure } = this.#outside
    const waitsFor = await this.#waitsFor()
    const server = this.connection === undefined ? "the server" : this.connection.server
    const setting = this.connection === undefined && retryable ? "connectTimeoutMs" : "statementTimeoutMs"
    const why = waitsFor.length === 0 ? "" : `, it waits: ${waitsFor.join("; ")}`
    const reason = this.connection === undefined && retryable ? "connection" : "timeout"
    this.#ended = failure(reason, `Cannot ${what}: ${server} has not answered for ${limitMs / 1000} s${why}`, {
      retryable,
      hint:
        waitsFor.length > 0
          ? "Let those finish, or end them; statementTimeoutMs says how long to wait"
          : `Look whether the server is still there; ${setting} says how long to wait`,
    })
    this.#controller.abort(this.#ended)
    const settled = running.then(
      () => undefined,
      () => undefined,
    )
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, GRACE_MS))])
    return this.#ended
  }

  async #waitsFor(): Promise<readonly string[]> {
    if (this.connection?.waitsFor === undefined) return []
    const asking = this.connection.waitsFor().catch((error) => {
      this.#outside.log.debug("The server does not tell who is waited for", { cause: pluginError(error).message })
      return []
    })
    const giveUp = new Promise<readonly string[]>((resolve) => setTimeout(resolve, ASK_MS, []))
    return await Promise.race([asking, giveUp])
  }
}

function watched(connection: Connection, patience: Patience): Connection {
  const { statementTimeoutMs } = patience.session.settings
  const replacement = connection.replacement === undefined ? undefined : patientOf(connection.replacement, patience)
  return new Proxy(connection, {
    get(target, name) {
      if (name === "replacement") return replacement
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== "function") return member
      const call = member.bind(target)
      const what = CALLS[name as string]
      if (what === undefined) return call
      return async (...given: readonly unknown[]) => {
        // What nobody listens to any more cannot be taken back.
        if (name === "rollback" && patience.isOver) return
        const { timeoutMs } = (given[1] ?? {}) as { readonly timeoutMs?: number } // of `execute` alone
        // The server has its say first.
        const limitMs = name === "execute" && timeoutMs !== undefined ? timeoutMs + GRACE_MS : statementTimeoutMs
        return await patience.within({ what: what(given[0]), limitMs }, () => call(...given))
      }
    },
  })
}

function patientOf(replacement: Replacement, patience: Patience): Replacement {
  const limitMs = patience.session.settings.statementTimeoutMs
  const { isTransactional, swapPartition, contents } = replacement
  const timed = <A>(what: string, work: () => Promise<A>) => patience.within({ what, limitMs }, work)
  return {
    isTransactional,
    obstacles: (table) => timed("examine a table", () => replacement.obstacles(table)),
    createStage: (table, stage) => timed(`create table "${stage.name}"`, () => replacement.createStage(table, stage)),
    swap: (names) => timed(`replace table "${names.table.name}"`, () => replacement.swap(names)),
    ...(swapPartition === undefined
      ? {}
      : {
          swapPartition: (request) =>
            timed(`replace a partition of "${request.table.name}"`, () => swapPartition(request)),
        }),
    ...(contents === undefined
      ? {}
      : { contents: (table) => timed(`add up table "${table.name}"`, () => contents(table)) }),
  }
}

/** Calls that are answered once a server gets to them, by what they do. */
const CALLS: Readonly<Record<string, (subject: unknown) => string>> = {
  query: (sql) => `run "${shown(sql)}"`,
  execute: (sql) => `run "${shown(sql)}"`,
  describeQuery: () => "understand the query",
  describeTable: (table) => `describe table "${(table as { readonly name: string }).name}"`,
  tables: () => "list tables",
  physicalSplits: (table) => `divide table "${(table as { readonly name: string }).name}"`,
  dropEmpty: (table) => `drop table "${(table as { readonly name: string }).name}"`,
  lock: () => "take a lock",
  evictOthers: () => "end what an earlier attempt has left",
  begin: () => "begin",
  commit: () => "commit",
  rollback: () => "roll back",
}

/** The beginning of a statement, without the values in it. */
function shown(sql: unknown): string {
  const text = String(sql)
    .replaceAll(/'(?:[^']|'')*'/g, "'…'")
    .replaceAll(/\s+/g, " ")
    .trim()
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

const SHOWN = 80
/** When a wait is worth a word. */
const TELL_MS = 10_000
const ASK_MS = 3000
const GRACE_MS = 2000
