import { useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import type { NewTrigger, ShownTrigger } from "../../../../core/server/triggers/triggers.ts"
import { ask } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Empty } from "../../parts/page.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { useMay } from "../../shell/session.tsx"
import { TriggerDialog } from "./trigger-dialog.tsx"
import { TriggerSecret } from "./trigger-secret.tsx"

/** Tokens by which other programs start this flow, and nothing else. */
export function FlowTriggers({ flow }: { readonly flow: SavedFlow }) {
  const may = useMay()
  const refresh = useRefresh()
  const [open, setOpen] = useState<
    { readonly kind: "new" } | { readonly kind: "rotate" | "revoke"; readonly trigger: ShownTrigger } | undefined
  >()
  const [made, setMade] = useState<NewTrigger>()
  const triggers = useRead("GET /flows/:name/triggers", { params: { name: flow.name } })
  const live = triggers.data?.items.filter(({ revokedAt }) => revokedAt === null)
  const close = () => setOpen(undefined)
  const add = may("triggers.write") && (
    <Button icon="plus" onClick={() => setOpen({ kind: "new" })}>
      Add a trigger
    </Button>
  )
  if (triggers.error) return <FailureNotice cause={triggers.error} />
  return (
    <div className="stack tight">
      {(live?.length ?? 0) > 0 && <div className="actions">{add}</div>}
      <Table
        label="Triggers"
        rows={live}
        keyOf={({ id }) => id}
        columns={[
          ...COLUMNS,
          {
            ...{ label: "Actions", quiet: true, end: true },
            cell: (trigger) =>
              may("triggers.write") && (
                <span className="actions end-actions">
                  <Button look="plain" onClick={() => setOpen({ kind: "rotate", trigger })}>
                    New token…
                  </Button>
                  <Button look="danger plain" onClick={() => setOpen({ kind: "revoke", trigger })}>
                    Revoke…
                  </Button>
                </span>
              ),
          },
        ]}
        empty={
          <Empty title="No program can start it yet" action={add}>
            A trigger is a token that starts this flow by an HTTP request, and can do nothing else.
          </Empty>
        }
      />
      {open?.kind === "new" && (
        <TriggerDialog
          flow={flow}
          close={close}
          done={async (trigger) => {
            setMade(trigger)
            await refresh("/flows/:name/triggers")
          }}
        />
      )}
      {open?.kind === "rotate" && (
        <Confirm
          title={`Give ${open.trigger.name} a new token?`}
          yes="Give it a new one"
          close={close}
          act={async () => {
            setMade(await ask("POST /triggers/:id/rotate", { params: { id: open.trigger.id } }))
            await refresh("/flows/:name/triggers")
          }}
        >
          The old token is void at once, and whatever uses it stops working.
        </Confirm>
      )}
      {open?.kind === "revoke" && (
        <Confirm
          title={`Revoke ${open.trigger.name}?`}
          yes="Revoke it"
          close={close}
          act={async () => {
            await ask("DELETE /triggers/:id", { params: { id: open.trigger.id } })
            await refresh("/flows/:name/triggers")
          }}
        >
          Its token is void at once.
        </Confirm>
      )}
      {made && <TriggerSecret made={made} close={() => setMade(undefined)} />}
    </div>
  )
}

const COLUMNS: readonly Column<ShownTrigger>[] = [
  {
    label: "Name",
    cell: ({ name, prefix }) => (
      <>
        <strong className="wrap">{name}</strong>
        <span className="sub mono">{prefix}…</span>
      </>
    ),
  },
  {
    label: "Signed",
    cell: ({ signed }) => (signed ? "Signature required" : <span className="muted">Token alone</span>),
  },
  { label: "Limit", cell: ({ requestsPerMinute }) => `${requestsPerMinute} a minute` },
  { label: "Environment", cell: ({ environment }) => (environment === "prod" ? "Production" : "Development") },
  { label: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} relative empty="never" /> },
]
