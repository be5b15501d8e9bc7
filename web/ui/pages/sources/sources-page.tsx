import type { ShownSource } from "../../../../core/server/sources/source-registry.ts"
import { useRead } from "../../api/query.ts"
import { ButtonLink } from "../../parts/button.tsx"
import { Search } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty, PageHead } from "../../parts/page.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { Link, useSearch } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"

/** The systems that flows know by name. */
export default function SourcesPage() {
  const may = useMay()
  const [search, change] = useSearch()
  const text = search.get("text") ?? ""
  const sources = useRead("GET /sources", {})
  const word = text.toLowerCase()
  const shown = sources.data?.items.filter(({ name, type, description }) =>
    `${name} ${type} ${description}`.toLowerCase().includes(word),
  )
  const add = may("sources.write") && (
    <ButtonLink look="primary" icon="plus" to="/new-source">
      New data source
    </ButtonLink>
  )
  return (
    <>
      <PageHead title="Data sources">{add}</PageHead>
      <div className="filters">
        <Search label="Search data sources" value={text} change={(text) => change({ text })} />
      </div>
      {sources.error ? <FailureNotice cause={sources.error} /> : null}
      <Table
        label="Data sources"
        rows={shown}
        keyOf={({ id }) => id}
        columns={COLUMNS}
        empty={
          text ? (
            <Empty title="No data source fits">Search for a part of its name, its type or its description.</Empty>
          ) : (
            <Empty title="No data sources yet" action={add}>
              A data source is a database with its address and account. Flows call it by name; its password is kept
              encrypted and is never shown again.
            </Empty>
          )
        }
      />
    </>
  )
}

const COLUMNS: readonly Column<ShownSource>[] = [
  {
    label: "Name",
    cell: ({ name, description }) => (
      <>
        <Link className="name" to={`/sources/${encodeURIComponent(name)}`}>
          {name}
        </Link>
        {description && <span className="sub wrap">{description}</span>}
      </>
    ),
  },
  { label: "Type", cell: ({ type }) => type },
  { label: "Place", cell: (source) => <span className="mono wrap">{placeText(source)}</span> },
  {
    label: "Environments",
    cell: ({ dev }) => (dev ? "Production, development" : <span className="muted">Production</span>),
  },
  {
    label: "You may",
    cell: ({ canRead, canWrite }) =>
      canRead || canWrite ? (
        [canRead && "read", canWrite && "write"].filter(Boolean).join(", ")
      ) : (
        <span className="faint">nothing</span>
      ),
  },
  { label: "Changed", cell: ({ updatedAt }) => <Time at={updatedAt} relative /> },
]

/** Where it is, in one line, whatever its type calls that. */
function placeText({ prod }: ShownSource): string {
  const { host, port, database, path, url } = prod
  if (typeof host === "string")
    return [`${host}${port === undefined ? "" : `:${port}`}`, database].filter(Boolean).join("/")
  return String(path ?? url ?? "–")
}
