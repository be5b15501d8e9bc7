import type { Answer } from "../../api/client.ts"
import { usePages, useRead } from "../../api/query.ts"
import { ButtonLink } from "../../parts/button.tsx"
import { Icon } from "../../parts/icon.tsx"
import { More, Search } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty, PageHead } from "../../parts/page.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { Link, useSearch } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"

type Flow = Answer<"GET /flows">["items"][number]

/** All flows, by folder and by name. */
export default function FlowsPage() {
  const may = useMay()
  const [search, change] = useSearch()
  const text = search.get("text") ?? ""
  const folder = search.get("folder") ?? undefined
  const query = { limit: 50, ...(text && { text }), ...(folder !== undefined && { folder }) }
  const flows = usePages("GET /flows", { query })
  const folders = useFolders()
  const isFiltered = text !== "" || folder !== undefined
  const add = may("flows.write") && (
    <ButtonLink look="primary" icon="plus" to="/new-flow">
      New flow
    </ButtonLink>
  )
  return (
    <>
      <PageHead title="Flows">{add}</PageHead>
      <div className="folders">
        <Folders folders={folders} current={folder} />
        <div>
          <div className="filters">
            <Search label="Search flows" value={text} change={(text) => change({ text })} />
          </div>
          {flows.error ? <FailureNotice cause={flows.error} /> : null}
          <Table
            label="Flows"
            rows={flows.items}
            keyOf={({ id }) => id}
            columns={COLUMNS}
            empty={
              isFiltered ? (
                <Empty title="No flow fits">Look in all folders, or search for a part of the name.</Empty>
              ) : (
                <Empty title="No flows yet" action={add}>
                  A flow says what to read, what to do with the rows, and where to write them.
                </Empty>
              )
            }
          />
          <More list={flows} />
        </div>
      </div>
    </>
  )
}

/** Folders are what the names of flows' folders say; there are no others. */
function useFolders(): readonly string[] {
  const flows = useRead("GET /flows", { query: { limit: 200 } })
  return [...new Set(flows.data?.items.map(({ folder }) => folder).filter(Boolean))].sort()
}

function Folders({ folders, current }: { readonly folders: readonly string[]; readonly current: string | undefined }) {
  return (
    <nav className="folder-list" aria-label="Folders">
      <ul>
        <li>
          <Link to="/flows" aria-current={current === undefined ? "page" : undefined}>
            <Icon name="flows" />
            All flows
          </Link>
        </li>
        {folders.map((folder) => (
          <li key={folder}>
            <Link
              to={`/flows?folder=${encodeURIComponent(folder)}`}
              aria-current={folder === current ? "page" : undefined}
            >
              <Icon name="folder" />
              {folder}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

const COLUMNS: readonly Column<Flow>[] = [
  {
    label: "Flow",
    cell: ({ name, description }) => (
      <>
        <Link className="name" to={`/flows/${encodeURIComponent(name)}`}>
          {name}
        </Link>
        {description && <span className="sub wrap">{description}</span>}
      </>
    ),
  },
  { label: "Folder", cell: ({ folder }) => <span className="muted wrap">{folder}</span> },
  { label: "Version", end: true, cell: ({ version }) => version },
  { label: "Changed by", cell: ({ updatedBy }) => <span className="wrap">{updatedBy}</span> },
  { label: "Changed", cell: ({ updatedAt }) => <Time at={updatedAt} relative /> },
]
