import type { ShownSource } from "../../../../core/server/sources/source-registry.ts"
import { useRead } from "../../api/query.ts"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty } from "../../parts/page.tsx"
import { Table } from "../../parts/table.tsx"
import { Link } from "../../route/router.tsx"

/** The flows that would break without a data source. */
export function SourceFlows({ source }: { readonly source: ShownSource }) {
  const flows = useRead("GET /sources/:name/flows", { params: { name: source.name } })
  if (flows.error) return <FailureNotice cause={flows.error} />
  return (
    <Table
      label={`Flows that use ${source.name}`}
      rows={flows.data?.items}
      keyOf={({ flow, access }) => `${access} ${flow}`}
      columns={[
        {
          label: "Flow",
          cell: ({ flow }) => (
            <Link className="name" to={`/flows/${encodeURIComponent(flow)}`}>
              {flow}
            </Link>
          ),
        },
        { label: "How", cell: ({ access }) => (access === "read" ? "reads from it" : "writes to it") },
      ]}
      empty={
        <Empty title="No flow uses it">A flow does as soon as one of its steps names it as its data source.</Empty>
      }
    />
  )
}
