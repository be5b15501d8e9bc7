import type { Answer } from "../../api/client.ts"
import { useRead } from "../../api/query.ts"
import { Search } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty, PageHead, Panel, Skeleton } from "../../parts/page.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Link, useSearch } from "../../route/router.tsx"

type Component = Answer<"GET /components">["items"][number]

/** What flows can be made of. */
export default function ComponentsPage() {
  const [search, change] = useSearch()
  const text = search.get("text") ?? ""
  const word = text.toLowerCase()
  const components = useRead("GET /components", {})
  const shown = components.data?.items.filter(({ id, title, summary }) =>
    `${id} ${title} ${summary}`.toLowerCase().includes(word),
  )
  return (
    <>
      <PageHead title="Components" about="What flows can be made of: everything that is installed on this server." />
      <div className="filters">
        <Search label="Search components" value={text} change={(text) => change({ text })} />
      </div>
      {components.error ? <FailureNotice cause={components.error} /> : null}
      {components.isPending && <Skeleton lines={8} />}
      {shown?.length === 0 && (
        <div className="panel">
          <Empty title="No component fits">Search for a system, such as postgres, or for what it does.</Empty>
        </div>
      )}
      <div className="stack">
        {KINDS.map(([kind, title]) => {
          const rows = shown?.filter((one) => one.kind === kind) ?? []
          return (
            rows.length > 0 && (
              <Panel key={kind} flush title={title}>
                <Table label={title} rows={rows} keyOf={({ id }) => id} columns={COLUMNS} />
              </Panel>
            )
          )
        })}
      </div>
    </>
  )
}

const KINDS = [
  ["input", "Inputs"],
  ["transform", "Transforms"],
  ["router", "Routers"],
  ["output", "Outputs"],
  ["database", "Databases"],
] as const

const COLUMNS: readonly Column<Component>[] = [
  {
    label: "Component",
    cell: ({ id, title }) => (
      <>
        <Link className="name" to={`/components/${encodeURIComponent(id)}`}>
          {title}
        </Link>
        <span className="sub mono">{id}</span>
      </>
    ),
  },
  { label: "What it does", cell: ({ summary }) => <span className="wrap">{summary}</span> },
  {
    label: "Plugin",
    end: true,
    cell: ({ plugin, version }) => <span className="muted wrap">{`${plugin} ${version}`}</span>,
  },
]
