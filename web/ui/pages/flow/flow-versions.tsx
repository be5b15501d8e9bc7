import { useState } from "react"
import type { FlowVersion, SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { ask } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { DiffView } from "../../parts/diff-view.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Panel, Skeleton } from "../../parts/page.tsx"
import { Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { toast } from "../../parts/toast.tsx"
import { useMay } from "../../shell/session.tsx"

/** What a flow was before, what has changed since, and the way back. */
export function FlowVersions({ flow }: { readonly flow: SavedFlow }) {
  const may = useMay()
  const refresh = useRefresh()
  const [chosen, setChosen] = useState<FlowVersion>()
  const [back, setBack] = useState<FlowVersion>()
  const versions = useRead("GET /flows/:name/versions", { params: { name: flow.name }, query: { limit: 200 } })
  if (versions.error) return <FailureNotice cause={versions.error} />
  return (
    <div className="stack">
      <Table
        label="Versions"
        rows={versions.data?.items}
        keyOf={({ version }) => String(version)}
        columns={[
          {
            label: "Version",
            cell: (one) => (
              <>
                <strong>{one.version}</strong> {one.version === flow.version && <span className="tag">newest</span>}
              </>
            ),
          },
          {
            label: "What has changed",
            cell: ({ remark }) => <span className="wrap">{remark || <span className="faint">not said</span>}</span>,
          },
          { label: "By", cell: ({ author }) => <span className="wrap">{author}</span> },
          { label: "When", cell: ({ at }) => <Time at={at} /> },
          {
            ...{ label: "Actions", quiet: true, end: true },
            cell: (one) =>
              one.version !== flow.version && (
                <span className="actions end-actions">
                  <Button look="plain" onClick={() => setChosen(one)}>
                    Compare
                  </Button>
                  {may("flows.write") && (
                    <Button look="plain" onClick={() => setBack(one)}>
                      Restore…
                    </Button>
                  )}
                </span>
              ),
          },
        ]}
      />
      {chosen && <Comparison key={chosen.version} flow={flow} version={chosen.version} />}
      {back && (
        <Confirm
          title={`Restore version ${back.version}?`}
          yes="Restore it"
          look="primary"
          close={() => setBack(undefined)}
          act={async () => {
            const saved = await ask("POST /flows/:name/versions/:version/restore", {
              params: { name: flow.name, version: back.version },
              body: { version: flow.version },
            })
            toast(`Version ${back.version} is back, as version ${saved.version}`)
            await refresh("/flows")
          }}
        >
          It becomes the newest version. Nothing is lost: version {flow.version} stays in this list.
        </Confirm>
      )}
    </div>
  )
}

function Comparison({ flow, version }: { readonly flow: SavedFlow; readonly version: number }) {
  const old = useRead("GET /flows/:name/versions/:version", { params: { name: flow.name, version } })
  return (
    <Panel title={`From version ${version} to version ${flow.version}`}>
      {old.error ? <FailureNotice cause={old.error} /> : null}
      {old.isPending && <Skeleton />}
      {old.data && <DiffView label="Differences" before={old.data.document} after={flow.document} />}
    </Panel>
  )
}
