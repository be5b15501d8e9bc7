import { useRead } from "../api/query.ts"
import { useMay, useMe } from "./session.tsx"

/** What a user is called; for those who may not look at users, others stay numbers. */
export function useUserName(id: string): string {
  const me = useMe()
  const may = useMay()
  const users = useRead("GET /users", { query: { limit: 200 } }, { when: id !== me.id && may("users.read") })
  return id === me.id ? me.name : (users.data?.items.find((user) => user.id === id)?.name ?? id)
}
