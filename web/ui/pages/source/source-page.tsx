import { useState } from "react"
import type { ShownSource } from "../../../../core/server/sources/source-registry.ts"
import { ask } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { PageHead, Skeleton } from "../../parts/page.tsx"
import { LinkTabs } from "../../parts/tabs.tsx"
import { toast } from "../../parts/toast.tsx"
import { navigate, type Params } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { EditSource } from "./edit-source.tsx"
import { SourceFlows } from "./source-flows.tsx"
import { SourceGrants } from "./source-grants.tsx"
import { TableBrowser } from "./table-browser.tsx"

/** A data source: its tables, its connections, and who may use it. */
export default function SourcePage({ params: { name = "", tab = "connection" } }: { readonly params: Params }) {
  const source = useRead("GET /sources/:name", { params: { name } })
  if (source.error && !source.data) return <FailureNotice cause={source.error} />
  if (!source.data) return <Skeleton lines={10} />
  return <Source key={source.data.id} source={source.data} tab={tab} />
}

function Source({ source, tab }: { readonly source: ShownSource; readonly tab: string }) {
  const may = useMay()
  const refresh = useRefresh()
  const [isRemoving, setRemoving] = useState(false)
  const path = `/sources/${encodeURIComponent(source.name)}`
  return (
    <>
      <PageHead
        title={source.name}
        crumbs={[["Data sources", "/sources"]]}
        about={source.description || undefined}
        tag={<span className="tag">{source.type}</span>}
      >
        {may("sources.write") && (
          <Button look="danger" onClick={() => setRemoving(true)}>
            Remove…
          </Button>
        )}
      </PageHead>
      <LinkTabs
        label="Parts of the data source"
        current={tab}
        to={(id) => (id === "connection" ? path : `${path}/${id}`)}
        tabs={[
          { id: "connection", text: "Connection" },
          { id: "tables", text: "Tables" },
          { id: "flows", text: "Used by" },
          { id: "grants", text: "Grants" },
        ]}
      />
      {tab === "connection" && <EditSource source={source} />}
      {tab === "tables" && <TableBrowser source={source} />}
      {tab === "flows" && <SourceFlows source={source} />}
      {tab === "grants" && <SourceGrants source={source} />}
      {isRemoving && (
        <Confirm
          title={`Remove ${source.name}?`}
          yes="Remove it"
          close={() => setRemoving(false)}
          act={async () => {
            await ask("DELETE /sources/:name", { params: { name: source.name }, query: { version: source.version } })
            toast(`${source.name} was removed`)
            navigate("/sources")
            await refresh("/sources")
          }}
        >
          Its connection and its secrets are gone for good. It stays while flows use it: they are named then.
        </Confirm>
      )}
    </>
  )
}
