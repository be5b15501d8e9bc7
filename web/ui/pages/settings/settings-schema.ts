import { useQuery } from "@tanstack/react-query"

export interface SettingSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly allOf?: readonly SettingSchema[]
}

/** The settings that there are, as the OpenAPI document of the server describes them. */
export function useSettingsSchema() {
  return useQuery({
    queryKey: ["/api/openapi.json"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const answer = await fetch("/api/openapi.json", { signal })
      if (!answer.ok) throw new Error(`The server answered ${answer.status} to a question for its OpenAPI document`)
      const document = (await answer.json()) as OpenApi // of this server
      return groupsOf(document.components?.schemas?.["Settings"]?.properties ?? {})
    },
  })
}

interface OpenApi {
  readonly components?: {
    readonly schemas?: Readonly<Record<string, { readonly properties?: Readonly<Record<string, SettingSchema>> }>>
  }
}

export interface SettingGroup {
  readonly title: string
  readonly fields: readonly (readonly [key: string, schema: SettingSchema])[]
}

/** By the word before the dot. */
export function groupsOf(properties: Readonly<Record<string, SettingSchema>>): readonly SettingGroup[] {
  const groups = new Map<string, (readonly [string, SettingSchema])[]>()
  for (const [key, schema] of Object.entries(properties)) {
    const [group = ""] = key.split(".")
    groups.set(group, [...(groups.get(group) ?? []), [key, schema]])
  }
  return [...groups].map(([name, fields]) => ({ title: TITLES[name] ?? wordsOf(name), fields }))
}

/** `retention.runsDays` as “Runs, days”. */
export function settingName(key: string): string {
  return wordsOf(key.slice(key.indexOf(".") + 1))
}

function wordsOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()
  return (words.charAt(0).toUpperCase() + words.slice(1)).replace(/\b(url|http)\b/i, (word) => word.toUpperCase())
}

const TITLES: Readonly<Record<string, string>> = {
  server: "Server",
  sessions: "Sessions",
  limits: "Limits",
  retention: "How long things are kept",
  queue: "Queue",
  sources: "Data sources",
  webhooks: "Webhooks",
}
