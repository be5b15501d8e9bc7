import { useState } from "react"
import type { ShownDelivery } from "../../../../core/server/triggers/webhooks.ts"
import { ask } from "../../api/client.ts"
import { usePages, useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { More } from "../../parts/list.tsx"
import { FailureNotice, Notice, ProblemNotice } from "../../parts/notice.tsx"
import { Empty, PageHead, Skeleton } from "../../parts/page.tsx"
import { Badge } from "../../parts/status.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { toast } from "../../parts/toast.tsx"
import { Link, navigate, type Params } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { WebhookDialog } from "./webhook-dialog.tsx"

/** One webhook with what it was told. */
export default function WebhookPage({ params: { id = "" } }: { readonly params: Params }) {
  const may = useMay()
  const refresh = useRefresh()
  const [open, setOpen] = useState<"change" | "remove">()
  const webhooks = useRead("GET /webhooks", {})
  const deliveries = usePages("GET /webhooks/:id/deliveries", { params: { id }, query: { limit: 50 } }, 5000)
  const retry = useSubmit(async (delivery: string) => {
    await ask("POST /webhooks/:id/deliveries/:delivery/retry", { params: { id, delivery } })
    toast("The message is sent once more")
    await refresh("/webhooks")
  })
  const webhook = webhooks.data?.items.find((one) => one.id === id)
  if (webhooks.error) return <FailureNotice cause={webhooks.error} />
  if (!webhooks.data) return <Skeleton lines={8} />
  if (!webhook) return <Notice tone="warn" title="There is no such webhook" />
  return (
    <>
      <PageHead
        title={webhook.name}
        crumbs={[["Webhooks", "/webhooks"]]}
        about={<span className="mono">{webhook.url}</span>}
        tag={webhook.paused ? <Badge icon="pause" text="Paused" /> : undefined}
      >
        {may("triggers.write") && (
          <>
            <Button onClick={() => setOpen("change")}>Change…</Button>
            <Button look="danger" onClick={() => setOpen("remove")}>
              Remove…
            </Button>
          </>
        )}
      </PageHead>
      <div className="stack tight">
        {deliveries.error ? <FailureNotice cause={deliveries.error} /> : null}
        <ProblemNotice problem={retry.problem} />
        <Table
          label="Deliveries"
          rows={deliveries.items}
          keyOf={(one) => one.id}
          columns={[
            ...COLUMNS,
            {
              ...{ label: "Actions", quiet: true, end: true },
              cell: (one) =>
                may("triggers.write") &&
                one.status !== "waiting" && (
                  <Button look="plain" icon="refresh" disabled={retry.busy} onClick={() => void retry.submit(one.id)}>
                    Send again
                  </Button>
                ),
            },
          ]}
          empty={
            <Empty title="Nothing was sent yet">A message goes out when the next run ends that it is told of.</Empty>
          }
        />
        <More list={deliveries} />
      </div>
      {open === "change" && (
        <WebhookDialog webhook={webhook} close={() => setOpen(undefined)} done={() => void refresh("/webhooks")} />
      )}
      {open === "remove" && (
        <Confirm
          title={`Remove ${webhook.name}?`}
          yes="Remove it"
          close={() => setOpen(undefined)}
          act={async () => {
            await ask("DELETE /webhooks/:id", { params: { id } })
            navigate("/webhooks")
            await refresh("/webhooks")
          }}
        >
          What it was still to be told is given up.
        </Confirm>
      )}
    </>
  )
}

const COLUMNS: readonly Column<ShownDelivery>[] = [
  {
    label: "Message",
    cell: (one) => (
      <>
        <strong>{one.event}</strong>
        {one.message !== null && <span className="sub wrap">{one.message}</span>}
      </>
    ),
  },
  {
    label: "State",
    narrow: true,
    cell: ({ status }) =>
      status === "delivered" ? (
        <Badge tone="good" icon="check" text="Delivered" />
      ) : status === "failed" ? (
        <Badge tone="bad" icon="close" text="Given up" />
      ) : (
        <Badge icon="clock" text="Waiting" />
      ),
  },
  { label: "Answer", end: true, cell: ({ answered }) => answered ?? <span className="faint">–</span> },
  { label: "Tries", end: true, cell: ({ attempts }) => attempts },
  { label: "Made", cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    label: "Next try",
    cell: ({ status, dueAt }) =>
      status === "waiting" ? <Time at={dueAt} relative /> : <span className="faint">–</span>,
  },
  { label: "Run", cell: ({ job }) => <Link to={`/runs/${job}`}>Show</Link> },
]
