import { useState } from "react"
import type { Answer } from "../../api/client.ts"
import { ask } from "../../api/client.ts"
import { usePages, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Confirm } from "../../parts/dialog.tsx"
import { More } from "../../parts/list.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { PageHead } from "../../parts/page.tsx"
import { Badge } from "../../parts/status.tsx"
import { type Column, Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { useMay } from "../../shell/session.tsx"
import { InvitationDialog, type Invited } from "./invitation-dialog.tsx"
import { UserDialog } from "./user-dialog.tsx"

export type User = Answer<"GET /users">["items"][number]

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "change" | "reset" | "remove"; readonly user: User }
  | { readonly kind: "invited"; readonly invited: Invited }

/** Who may sign in, and as what. */
export default function UsersPage() {
  const may = useMay()
  const refresh = useRefresh()
  const [open, setOpen] = useState<Open>()
  const users = usePages("GET /users", { query: { limit: 100 } })
  const close = () => setOpen(undefined)
  return (
    <>
      <PageHead title="Users">
        {may("users.write") && (
          <Button look="primary" icon="plus" onClick={() => setOpen({ kind: "new" })}>
            Invite somebody
          </Button>
        )}
      </PageHead>
      {users.error ? <FailureNotice cause={users.error} /> : null}
      <Table
        label="Users"
        rows={users.items}
        keyOf={({ id }) => id}
        columns={[
          ...COLUMNS,
          {
            ...{ label: "Actions", quiet: true, end: true },
            cell: (user) =>
              may("users.write") && (
                <span className="actions end-actions">
                  <Button look="plain" onClick={() => setOpen({ kind: "change", user })}>
                    Change…
                  </Button>
                  <Button look="plain" onClick={() => setOpen({ kind: "reset", user })}>
                    New link…
                  </Button>
                  <Button look="danger plain" onClick={() => setOpen({ kind: "remove", user })}>
                    Remove…
                  </Button>
                </span>
              ),
          },
        ]}
      />
      <More list={users} />
      {open?.kind === "new" && (
        <UserDialog close={close} done={(invited) => setOpen(invited && { kind: "invited", invited })} />
      )}
      {open?.kind === "change" && <UserDialog user={open.user} close={close} done={close} />}
      {open?.kind === "invited" && <InvitationDialog invited={open.invited} close={close} />}
      {open?.kind === "reset" && (
        <Confirm
          title={`Make a new link for ${open.user.name}?`}
          yes="Make it"
          close={close}
          act={async () => {
            const { user } = open
            const { path, expiresAt } = await ask("POST /users/:id/invitation", { params: { id: user.id } })
            await refresh("/users")
            // After the dialog that asks has closed itself.
            setTimeout(() => setOpen({ kind: "invited", invited: { name: user.name, path, expiresAt } }))
          }}
        >
          Their password is void at once and their sessions end. By the link they choose another password.
        </Confirm>
      )}
      {open?.kind === "remove" && (
        <Confirm
          title={`Remove ${open.user.name}?`}
          yes="Remove them"
          close={close}
          act={async () => {
            const { id, version } = open.user
            await ask("DELETE /users/:id", { params: { id }, query: { version } })
            await refresh("/users")
          }}
        >
          Their sessions, tokens and grants go with them. What they have made stays.
        </Confirm>
      )}
    </>
  )
}

const COLUMNS: readonly Column<User>[] = [
  {
    label: "User",
    cell: ({ name, displayName }) => (
      <>
        <strong className="wrap">{displayName || name}</strong>
        <span className="sub wrap">{name}</span>
      </>
    ),
  },
  { label: "Role", cell: ({ role }) => role },
  {
    label: "State",
    narrow: true,
    cell: ({ disabled, hasPassword }) =>
      disabled ? (
        <Badge icon="pause" text="Disabled" />
      ) : hasPassword ? (
        <Badge tone="good" icon="check" text="Active" />
      ) : (
        <Badge tone="warn" icon="clock" text="Invited" />
      ),
  },
  { label: "Last sign-in", cell: ({ lastLoginAt }) => <Time at={lastLoginAt} relative empty="never" /> },
]
