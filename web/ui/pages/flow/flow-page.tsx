import { lazy, Suspense, useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { ask } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button, IconButton } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { useDraft } from "../../parts/draft.ts"
import { Menu } from "../../parts/menu.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { PageHead, Skeleton } from "../../parts/page.tsx"
import { LinkTabs } from "../../parts/tabs.tsx"
import { toast } from "../../parts/toast.tsx"
import { navigate, type Params } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { FlowRuns } from "./flow-runs.tsx"
import { FlowSchedules } from "./flow-schedules.tsx"
import { FlowTriggers } from "./flow-triggers.tsx"
import { FlowVersions } from "./flow-versions.tsx"
import { PropertiesForm } from "./properties-form.tsx"
import type { Occasion } from "./question-bar.tsx"
import { RunDialog } from "./run-dialog.tsx"

const Workspace = lazy(() => import("./workspace.tsx"))

/** A flow with all that belongs to it. */
export default function FlowPage({ params: { name = "", tab = "script" } }: { readonly params: Params }) {
  const flow = useRead("GET /flows/:name", { params: { name } })
  if (flow.error && !flow.data) return <FailureNotice cause={flow.error} />
  if (!flow.data) return <Skeleton lines={10} />
  return <Flow key={flow.data.id} flow={flow.data} tab={tab} />
}

/** What somebody is writing, and which version they had before them. */
export interface ScriptDraft {
  readonly document: string
  readonly base: number
}

function Flow({ flow, tab }: { readonly flow: SavedFlow; readonly tab: string }) {
  const may = useMay()
  const draft = useDraft<ScriptDraft>(`flow.${flow.id}`, { document: flow.document, base: flow.version })
  const isChanged = draft.value.document !== flow.document
  const [occasion, setOccasion] = useState<Occasion>({ environment: "prod", bizdate: "" })
  const [open, setOpen] = useState<"run" | "remove">()
  const path = `/flows/${encodeURIComponent(flow.name)}`
  const run = may("runs.start") ? () => setOpen("run") : undefined
  const tabs = [
    { id: "script", text: "Script and graph" },
    { id: "runs", text: "Runs" },
    ...(may("schedules.read") ? [{ id: "schedules", text: "Schedules" }] : []),
    ...(may("triggers.read") ? [{ id: "triggers", text: "Triggers" }] : []),
    { id: "versions", text: "Versions" },
    { id: "properties", text: "Properties" },
  ]
  return (
    <>
      <PageHead
        title={flow.name}
        crumbs={[
          ["Flows", "/flows"],
          ...(flow.folder ? [[flow.folder, `/flows?folder=${encodeURIComponent(flow.folder)}`] as const] : []),
        ]}
        about={flow.description || undefined}
        tag={
          <>
            <span className="tag">v{flow.version}</span>
            {isChanged && <span className="badge warn">Not saved</span>}
          </>
        }
      >
        {run && (
          <Button look="primary" icon="runs" onClick={run}>
            Run…
          </Button>
        )}
        {may("flows.write") && (
          <Menu button={(props) => <IconButton label="More" icon="more" look="plain" {...props} />}>
            <button
              type="button"
              role="menuitem"
              onClick={() => navigate(`/new-flow?copy=${encodeURIComponent(flow.name)}`)}
            >
              Copy as a new flow
            </button>
            <button type="button" role="menuitem" className="danger" onClick={() => setOpen("remove")}>
              Remove…
            </button>
          </Menu>
        )}
      </PageHead>
      <LinkTabs
        label="Parts of the flow"
        tabs={tabs}
        current={tab}
        to={(id) => (id === "script" ? path : `${path}/${id}`)}
      />
      {tab === "script" && (
        <Suspense fallback={<Skeleton lines={12} />}>
          <Workspace flow={flow} draft={draft} occasion={occasion} setOccasion={setOccasion} run={run} />
        </Suspense>
      )}
      {tab === "runs" && <FlowRuns flow={flow} run={run} />}
      {tab === "schedules" && <FlowSchedules flow={flow} />}
      {tab === "triggers" && <FlowTriggers flow={flow} />}
      {tab === "versions" && <FlowVersions flow={flow} />}
      {tab === "properties" && <PropertiesForm flow={flow} />}
      {open === "run" && (
        <RunDialog flow={flow} isChanged={isChanged} occasion={occasion} close={() => setOpen(undefined)} />
      )}
      {open === "remove" && <RemoveFlow flow={flow} close={() => setOpen(undefined)} />}
    </>
  )
}

function RemoveFlow({ flow, close }: { readonly flow: SavedFlow; close(): void }) {
  const refresh = useRefresh()
  return (
    <Confirm
      title={`Remove ${flow.name}?`}
      yes="Remove it"
      close={close}
      act={async () => {
        await ask("DELETE /flows/:name", { params: { name: flow.name }, query: { version: flow.version } })
        toast(`${flow.name} was removed`)
        navigate("/flows")
        await refresh("/flows")
      }}
    >
      Its schedules and triggers go with it. Past runs stay.
    </Confirm>
  )
}
