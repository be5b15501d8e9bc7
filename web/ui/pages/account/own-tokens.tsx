import { useState } from "react"
import { type Answer, ask } from "../../api/client.ts"
import { usePages, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Copy } from "../../parts/copy.tsx"
import { Confirm, Dialog } from "../../parts/dialog.tsx"
import { More } from "../../parts/list.tsx"
import { FailureNotice, Notice } from "../../parts/notice.tsx"
import { Empty, Panel } from "../../parts/page.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { TokenDialog } from "./token-dialog.tsx"

type Token = Answer<"GET /me/tokens">["items"][number]

/** Tokens by which programs act for whoever made them. */
export function OwnTokens() {
  const refresh = useRefresh()
  const tokens = usePages("GET /me/tokens", { query: { limit: 50 } })
  const [isNew, setNew] = useState(false)
  const [secret, setSecret] = useState<string>()
  const [doomed, setDoomed] = useState<Token>()
  const add = (
    <Button icon="plus" onClick={() => setNew(true)}>
      New token
    </Button>
  )
  return (
    <Panel flush title="API tokens" actions={add}>
      {tokens.error ? <FailureNotice cause={tokens.error} /> : null}
      <Table
        label="API tokens"
        rows={tokens.items?.filter(({ revokedAt }) => revokedAt === null)}
        keyOf={({ id }) => id}
        columns={[
          ...COLUMNS,
          {
            ...{ label: "Actions", quiet: true, end: true },
            cell: (token) => (
              <Button look="danger plain" onClick={() => setDoomed(token)}>
                Revoke…
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No tokens">
            A token lets the command line or another program act for you, as far as its scopes go.
          </Empty>
        }
      />
      <More list={tokens} />
      {isNew && (
        <TokenDialog
          close={() => setNew(false)}
          done={async (made) => {
            setSecret(made)
            await refresh("/me/tokens")
          }}
        />
      )}
      {secret !== undefined && (
        <Dialog title="Your new token" close={() => setSecret(undefined)}>
          <Notice tone="warn" title="This is shown once only">
            Headrace keeps no copy of it.
          </Notice>
          <Copy label="Token" text={secret} />
          <h3>Use it on the command line</h3>
          <Copy label="Command" text={`headrace --server ${location.origin} login`} />
          <div className="dialog-foot">
            <Button look="primary" onClick={() => setSecret(undefined)}>
              I have kept it
            </Button>
          </div>
        </Dialog>
      )}
      {doomed && (
        <Confirm
          title={`Revoke ${doomed.name}?`}
          yes="Revoke it"
          close={() => setDoomed(undefined)}
          act={async () => {
            await ask("DELETE /me/tokens/:id", { params: { id: doomed.id } })
            await refresh("/me/tokens")
          }}
        >
          It is void at once, and whatever uses it stops working.
        </Confirm>
      )}
    </Panel>
  )
}

const COLUMNS: readonly Column<Token>[] = [
  {
    label: "Name",
    cell: ({ name, prefix }) => (
      <>
        <strong className="wrap">{name}</strong>
        <span className="sub mono">{prefix}…</span>
      </>
    ),
  },
  { label: "Scopes", cell: ({ scopes }) => <span className="wrap">{scopes.join(", ")}</span> },
  { label: "Expires", cell: ({ expiresAt }) => <Time at={expiresAt} relative empty="never" /> },
  { label: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} relative empty="never" /> },
]
