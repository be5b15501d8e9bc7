import { expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import type { Connection, Database, Session } from "../contract/index.ts"
import { failure } from "../host/failure.ts"
import { Parking } from "../host/parking.ts"
import { Connections, connected, connectionOf, planning } from "./connections.ts"

/** Connections that can only be counted and closed: the pool looks at nothing else. */
function counter(most: number, close: () => Promise<void> = async () => {}) {
  const seen = { opened: 0, closed: 0, open: 0, mostOpen: 0 }
  const pool = new Connections(most, async () => {
    seen.opened++
    seen.open++
    seen.mostOpen = Math.max(seen.mostOpen, seen.open)
    const connection = {
      close: async () => {
        seen.closed++
        seen.open--
        await close()
      },
    }
    return connection as unknown as Connection
  })
  return { pool, seen }
}

test("connections are used again, unless they are in an unknown state", async () => {
  const { pool, seen } = counter(2)
  const session = testSession()
  const first = await pool.take(session)
  await pool.give(first, true)
  expect(await pool.take(session)).toBe(first)
  await pool.give(first, false)
  expect(await pool.take(session)).not.toBe(first)
  expect(seen).toMatchObject({ opened: 2, closed: 1 })
})

test("connections are never more than allowed, however many wait", async () => {
  const { pool, seen } = counter(3)
  const session = testSession()
  const work = async (reusable: boolean) => {
    const connection = await pool.take(session)
    await Promise.resolve()
    await pool.give(connection, reusable)
  }
  await Promise.all(Array.from({ length: 50 }, (_, i) => work(i % 3 > 0)))
  expect(seen.mostOpen).toBe(3)
  await pool[Symbol.asyncDispose]()
  expect(seen.closed).toBe(seen.opened)
})

test("connections that are waited for in vain are left to others", async () => {
  const { pool } = counter(1)
  const [patient, hasty] = [testSession(), testSession()]
  const held = await pool.take(patient)
  const given = pool.take(hasty).catch((error: Error) => error.name)
  const wanted = pool.take(patient)
  hasty.abort()
  expect(await given).toBe("AbortError")
  await pool.give(held, true)
  expect(await wanted).toBe(held)
  // Given back and given up in the same moment: the turn is passed on.
  const third = testSession()
  const lost = pool.take(third).catch((error: Error) => error.name)
  const next = pool.take(patient)
  const giving = pool.give(held, true)
  third.abort()
  await giving
  expect(await lost).toBe("AbortError")
  expect(await next).toBe(held)
})

test("connections are shared when no further one can be opened", async () => {
  const { pool, seen } = counter(3)
  const session = testSession()
  expect(new Connections(2, () => Promise.reject(new Error("no"))).limitToOpened()).toBe(false)
  const only = await pool.take(session)
  expect(pool.limitToOpened()).toBe(true)
  const next = pool.take(session)
  await pool.give(only, true)
  expect(await next).toBe(only)
  expect(seen.opened).toBe(1)
  // Once it is lost as well, whoever waits tries for himself instead of waiting for ever.
  const waiting = pool.take(session)
  await pool.give(only, false)
  expect(await waiting).not.toBe(only)
  expect(seen).toMatchObject({ opened: 2, open: 1, mostOpen: 1 })
})

test("connections that cannot be opened make room for others", async () => {
  let attempts = 0
  const pool = new Connections(1, async () => {
    await Promise.resolve()
    if (++attempts === 1) throw failure("connection", "Cannot connect")
    return { close: async () => {} } as unknown as Connection
  })
  const session = testSession()
  const first = pool.take(session).catch((error: Error) => error.message)
  const second = pool.take(session)
  expect(await first).toBe("Cannot connect")
  expect(await second).toBeDefined()
})

test("connections are closed once at the end, also those in use, and none is opened after it", async () => {
  const { pool, seen } = counter(3, () => Promise.reject(new Error("Cannot close")))
  const session = testSession()
  const [idle, used] = [await pool.take(session), await pool.take(session)]
  await pool.give(idle, true)
  await pool[Symbol.asyncDispose]()
  expect(seen.closed).toBe(2)
  await pool.give(used, true)
  await pool.give(used, false)
  await pool[Symbol.asyncDispose]()
  expect(seen.closed).toBe(2)
  await expect(pool.take(session)).rejects.toThrow("Cannot connect: the run has ended")
})

test("connections that open after the end are closed", async () => {
  const opening = Promise.withResolvers<Connection>()
  let closed = 0
  const pool = new Connections(2, () => opening.promise)
  const taken = pool.take(testSession()).catch((error: Error) => error.message)
  await pool[Symbol.asyncDispose]()
  opening.resolve({ close: async () => void closed++ } as unknown as Connection)
  expect(await taken).toBe("Cannot connect: the run has ended")
  expect(closed).toBe(1)
})

test("connections are tried again as often as the settings say, where that may help", async () => {
  const attempts = async (error: unknown, session: Session) => {
    let count = 0
    await connected(() => {
      count++
      return Promise.reject(error)
    }, session).catch(() => undefined)
    return count
  }
  const session = testSession({ settings: { connectRetries: 1 } })
  expect(await attempts(failure("connection", "x"), session)).toBe(2)
  // By its shape: the reason alone says that it may pass.
  expect(await attempts({ reason: "connection", message: "x" }, session)).toBe(2)
  expect(await attempts(failure("authentication", "x"), session)).toBe(1)
  expect(await attempts(failure("connection", "x", { retryable: false }), session)).toBe(1)
  expect(await attempts(undefined, session)).toBe(1)
  expect(session.warnings.length).toBe(2)
  const cancelled = testSession({ settings: { connectRetries: 5 } })
  const counting = attempts(failure("connection", "x"), cancelled)
  cancelled.abort()
  expect(await counting).toBe(1)
})

/** A database whose connections can only be counted, and asked one thing that never ends by itself. */
function loginCounter() {
  const seen = { opened: 0, closed: 0 }
  const database = {
    id: "counted",
    connect: async (_settings: unknown, at: Session) => {
      seen.opened++
      return {
        query: () => new Promise((_, reject) => at.signal.addEventListener("abort", () => reject(at.signal.reason))),
        close: async () => void seen.closed++,
      }
    },
  } as unknown as Database
  return { database, seen }
}

test("a connection that planning has opened is the run's, and ends what it is asked with the run's call", async () => {
  const { database, seen } = loginCounter()
  const parking = new Parking()
  const [plan, run] = [new AbortController(), new AbortController()]
  const at = ({ signal }: AbortController) => ({ ...testSession(), parking, signal })
  await planning(database, { host: "a" }, at(plan), async () => "planned")
  await planning(database, { host: "a" }, at(plan), async () => "planned")
  const other = await connectionOf(database, { host: "b" }, at(run))
  const mine = await connectionOf(database, { host: "a" }, at(run))
  expect(seen).toEqual({ opened: 2, closed: 0 })
  const asked = mine.query("SELECT 1").then(
    () => "answered",
    (error: unknown) => error,
  )
  plan.abort(new Error("the plan is over"))
  run.abort(new Error("the run is cancelled"))
  expect(await asked).toEqual(new Error("the run is cancelled"))
  await Promise.all([mine.close(), other.close()])
})

test("connections of a plan are closed when it fails, when no run comes, and when the run ends", async () => {
  const { database, seen } = loginCounter()
  const parking = new Parking()
  const session = { ...testSession(), parking }
  const failing = planning(database, {}, session, () => Promise.reject(new Error("no such table")))
  await expect(failing).rejects.toThrow("no such table")
  expect(seen).toEqual({ opened: 1, closed: 1 })
  await planning(database, {}, testSession(), async () => "planned")
  expect(seen).toEqual({ opened: 2, closed: 2 })
  await planning(database, {}, session, async () => "planned")
  expect(seen).toEqual({ opened: 3, closed: 2 })
  await parking[Symbol.asyncDispose]()
  expect(seen).toEqual({ opened: 3, closed: 3 })
  await planning(database, {}, session, async () => "planned")
  expect(seen).toEqual({ opened: 4, closed: 4 })
})
