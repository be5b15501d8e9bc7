import { useState } from "react"
import type { ShownWebhook } from "../../../../core/server/triggers/webhooks.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Copy } from "../../parts/copy.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { FailureNotice, Notice } from "../../parts/notice.tsx"
import { Empty, PageHead } from "../../parts/page.tsx"
import { Badge } from "../../parts/status.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Link } from "../../route/router.tsx"
import { useMay } from "../../shell/session.tsx"
import { WebhookDialog } from "./webhook-dialog.tsx"

/** Whom the server tells of the end of runs. */
export default function WebhooksPage() {
  const may = useMay()
  const refresh = useRefresh()
  const webhooks = useRead("GET /webhooks", {})
  const [isNew, setNew] = useState(false)
  const [secret, setSecret] = useState<string>()
  const add = may("triggers.write") && (
    <Button look="primary" icon="plus" onClick={() => setNew(true)}>
      New webhook
    </Button>
  )
  return (
    <>
      <PageHead title="Webhooks" about="Other programs are told, by a signed HTTP request, when runs end.">
        {add}
      </PageHead>
      {webhooks.error ? <FailureNotice cause={webhooks.error} /> : null}
      <Table
        label="Webhooks"
        rows={webhooks.data?.items}
        keyOf={({ id }) => id}
        columns={COLUMNS}
        empty={
          <Empty title="Nobody is told yet" action={add}>
            A webhook sends a message to an address when runs end, tries again until it is taken, and signs what it
            sends.
          </Empty>
        }
      />
      {isNew && (
        <WebhookDialog
          close={() => setNew(false)}
          done={async (made) => {
            setSecret(made)
            await refresh("/webhooks")
          }}
        />
      )}
      {secret !== undefined && (
        <Dialog title="Secret of the webhook" close={() => setSecret(undefined)}>
          <Notice tone="warn" title="This is shown once only">
            With it, the receiver checks the header <code>x-headrace-signature</code>.
          </Notice>
          <Copy label="Secret" text={secret} />
          <div className="dialog-foot">
            <Button look="primary" onClick={() => setSecret(undefined)}>
              I have kept it
            </Button>
          </div>
        </Dialog>
      )}
    </>
  )
}

const COLUMNS: readonly Column<ShownWebhook>[] = [
  {
    label: "Webhook",
    cell: ({ id, name, url }) => (
      <>
        <Link className="name" to={`/webhooks/${id}`}>
          {name}
        </Link>
        <span className="sub mono wrap">{url}</span>
      </>
    ),
  },
  { label: "Flow", cell: ({ flow }) => <span className="wrap">{flow ?? "every flow"}</span> },
  { label: "Is told of", cell: ({ events }) => <span className="wrap">{events.join(", ")}</span> },
  {
    label: "State",
    narrow: true,
    cell: ({ paused }) =>
      paused ? <Badge icon="pause" text="Paused" /> : <Badge tone="good" icon="check" text="Active" />,
  },
]
