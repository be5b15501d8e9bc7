import { useQueryClient } from "@tanstack/react-query"
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react"
import type { Permission } from "../../../core/server/access/permission.ts"
import type { Answer } from "../api/client.ts"
import { ask, onSignedOut, setCsrf } from "../api/client.ts"
import { problemOf } from "../api/problem.ts"

export type Session = Answer<"GET /me">

interface SessionState {
  /** Undefined: not known yet; null: nobody is signed in. */
  readonly session: Session | null | undefined
  /** The session has ended under somebody's hands. */
  readonly isLost: boolean
  readonly failure: unknown
  take(session: Session): void
  reload(): Promise<void>
  end(): Promise<void>
}

const SessionContext = createContext<SessionState | undefined>(undefined)

export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient()
  const [session, setSession] = useState<Session | null>()
  const [isLost, setLost] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const take = useCallback((next: Session) => {
    setCsrf(next.csrf ?? "")
    setSession(next)
    setLost(false)
    setFailure(undefined)
  }, [])
  const reload = useCallback(async () => {
    try {
      take(await ask("GET /me", {}))
    } catch (cause) {
      if (problemOf(cause).status === 401) setSession(null)
      else setFailure(cause)
    }
  }, [take])
  const end = async () => {
    await ask("DELETE /session", {})
    setCsrf("")
    setSession(null)
    queries.clear()
  }
  useEffect(() => void reload(), [reload])
  useEffect(() => onSignedOut(() => setLost(true)), [])
  return (
    <SessionContext value={{ session, isLost: isLost && session !== null, failure, take, reload, end }}>
      {children}
    </SessionContext>
  )
}

export function useSession(): SessionState {
  const state = useContext(SessionContext)
  if (state === undefined) throw new Error("useSession stands outside of SessionProvider")
  return state
}

/** Whoever is signed in. */
export function useMe(): Session {
  const { session } = useSession()
  if (!session) throw new Error("useMe stands outside of the pages for people who are signed in")
  return session
}

/** Whether the one who looks may do something: what they may not, they are not offered. */
export function useMay(): (permission: Permission) => boolean {
  const { permissions } = useMe()
  return (permission) => permissions.includes(permission)
}
