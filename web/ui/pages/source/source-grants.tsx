import { type FormEvent, useState } from "react"
import type { Grant, ShownSource } from "../../../../core/server/sources/source-registry.ts"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { SelectField, TextField } from "../../parts/field.tsx"
import { FailureNotice, ProblemNotice } from "../../parts/notice.tsx"
import { Empty, Panel } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"
import { useMay } from "../../shell/session.tsx"

/** Who may read from a data source, and who may write to it. */
export function SourceGrants({ source }: { readonly source: ShownSource }) {
  const may = useMay()
  const refresh = useRefresh()
  const grants = useRead("GET /sources/:name/grants", { params: { name: source.name } })
  const users = useRead("GET /users", { query: { limit: 200 } }, { when: may("users.read") })
  const nameOf = (id: string) => users.data?.items.find((user) => user.id === id)?.name ?? id
  const revoke = useSubmit(async ({ user, access }: Pick<Grant, "user" | "access">) => {
    await ask("DELETE /sources/:name/grants", { params: { name: source.name }, query: { user, access } })
    await refresh("/sources")
  })
  if (grants.error) return <FailureNotice cause={grants.error} />
  return (
    <div className="stack wide">
      <p className="muted">
        A flow is saved and run with the grants of its account: reading steps need “read”, writing steps need “write”.
        Administrators need none.
      </p>
      <ProblemNotice problem={revoke.problem} />
      <Table
        label="Grants"
        rows={grants.data?.items}
        keyOf={({ user, access }) => `${user} ${access}`}
        columns={[
          { label: "User", cell: ({ name }) => <strong className="wrap">{name}</strong> },
          { label: "May", cell: ({ access }) => access },
          { label: "Until", cell: ({ expiresAt }) => <Time at={expiresAt} empty="no end" /> },
          { label: "Granted by", cell: ({ grantedBy }) => <span className="wrap">{nameOf(grantedBy)}</span> },
          { label: "On", cell: ({ createdAt }) => <Time at={createdAt} /> },
          {
            ...{ label: "Actions", quiet: true, end: true },
            cell: (grant) =>
              may("sources.grant") && (
                <Button look="danger plain" disabled={revoke.busy} onClick={() => void revoke.submit(grant)}>
                  Revoke
                </Button>
              ),
          },
        ]}
        empty={
          <Empty title="Nobody but administrators and its owner">Grant “read” or “write” to those who need it.</Empty>
        }
      />
      {may("sources.grant") && <NewGrant source={source} users={users.data?.items ?? []} />}
    </div>
  )
}

function NewGrant({
  source,
  users,
}: {
  readonly source: ShownSource
  readonly users: readonly { readonly id: string; readonly name: string; readonly displayName: string }[]
}) {
  const refresh = useRefresh()
  const [form, setForm] = useState({ user: "", access: "read", until: "" })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const { busy, problem, submit } = useSubmit(async () => {
    const access = form.access === "write" ? "write" : "read"
    const expiresAt = form.until === "" ? null : new Date(`${form.until}T23:59:59`).getTime()
    await ask("PUT /sources/:name/grants", {
      params: { name: source.name },
      body: { user: form.user, access, expiresAt },
    })
    setForm({ user: "", access: "read", until: "" })
    await refresh("/sources")
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit()
  }
  return (
    <Panel title="Grant access">
      <form className="form" onSubmit={send}>
        <ProblemNotice problem={problem} shown={(pointer) => /^\/(user|access|expiresAt)$/.test(pointer)} />
        <div className="pair">
          <SelectField
            label="User"
            value={form.user}
            change={(user) => set({ user })}
            options={[
              ["", "Choose somebody"],
              ...users.map(
                ({ id, name, displayName }) => [id, displayName ? `${displayName} (${name})` : name] as const,
              ),
            ]}
            error={fieldError(problem, "/user")}
            required
          />
          <SelectField
            label="May"
            value={form.access}
            change={(access) => set({ access })}
            options={[
              ["read", "Read"],
              ["write", "Write"],
            ]}
            error={fieldError(problem, "/access")}
          />
          <TextField
            label="Until"
            optional
            type="date"
            value={form.until}
            change={(until) => set({ until })}
            error={fieldError(problem, "/expiresAt")}
          />
        </div>
        <div className="actions">
          <Button type="submit" busy={busy} disabled={form.user === ""}>
            Grant
          </Button>
        </div>
      </form>
    </Panel>
  )
}
