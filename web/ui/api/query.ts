import {
  keepPreviousData,
  QueryClient,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query"
import type { Api } from "../../api/index.ts"
import { type Answer, ask, type Given } from "./client.ts"
import { problemOf } from "./problem.ts"

/** What was read is shown at once, and read again when it is looked at anew. */
export function makeQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 3000,
        gcTime: 10 * 60_000,
        // The client has tried already.
        retry: false,
        refetchOnWindowFocus: (query) => problemOf(query.state.error).status !== 401,
      },
      mutations: { retry: false },
    },
  })
}

type GetKey = Extract<keyof Api, `GET ${string}`>

export interface ReadOptions {
  readonly everyMs?: number | undefined
  readonly when?: boolean
  /** Keeps what was there while another question is asked. */
  readonly keep?: boolean
}

/** Reads an endpoint and keeps what it answers. */
export function useRead<K extends GetKey>(
  key: K,
  given: Given<K>,
  { everyMs, when = true, keep = false }: ReadOptions = {},
): UseQueryResult<Answer<K>> {
  const found = useQuery<unknown>({
    queryKey: [pathOf(key), given],
    queryFn: ({ signal }) => ask(key, given, signal),
    enabled: when,
    ...(everyMs !== undefined && { refetchInterval: everyMs }),
    ...(keep && { placeholderData: keepPreviousData }),
  })
  // What `ask` resolves to.
  return found as UseQueryResult<Answer<K>>
}

interface Paged<T> {
  readonly items: readonly T[]
  readonly next?: string
}
type ItemOf<A> = A extends Paged<infer T> ? T : never
type PagedKey = { [K in GetKey]: Answer<K> extends Paged<unknown> ? K : never }[GetKey]

/** Reads a list page by page, as far as somebody wants to see it. */
export function usePages<K extends PagedKey>(key: K, given: Given<K>, everyMs?: number) {
  const found = useInfiniteQuery({
    queryKey: [pathOf(key), "pages", given],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...("query" in given ? (given.query as object) : {}), ...(pageParam && { after: pageParam }) }
      // `after` is a part of the query of every list that has pages.
      return ask(key, { ...given, query } as Given<K>, signal) as Promise<Paged<ItemOf<Answer<K>>>>
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    ...(everyMs !== undefined && { refetchInterval: everyMs }),
  })
  const items = found.data?.pages.flatMap((page) => page.items)
  return { ...found, items }
}

/** Makes everything that begins with one of these paths be read again. */
export function useRefresh(): (...paths: readonly string[]) => Promise<void> {
  const queries = useQueryClient()
  return async (...paths) => {
    await queries.invalidateQueries({
      predicate: ({ queryKey: [path] }) => paths.some((start) => typeof path === "string" && path.startsWith(start)),
    })
  }
}

function pathOf(key: string): string {
  return key.slice(4)
}
