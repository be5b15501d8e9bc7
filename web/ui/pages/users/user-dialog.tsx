import { useState } from "react"
import type { Role } from "../../../../core/server/access/permission.ts"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { CheckField, TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import type { Invited } from "./invitation-dialog.tsx"
import type { User } from "./users-page.tsx"

/** Invites somebody, or changes what they may. */
export function UserDialog({
  user,
  close,
  done,
}: {
  readonly user?: User
  close(): void
  done(invited: Invited | undefined): void
}) {
  const refresh = useRefresh()
  const [form, setForm] = useState({
    name: user?.name ?? "",
    displayName: user?.displayName ?? "",
    role: user?.role ?? ("viewer" as Role),
    disabled: user?.disabled ?? false,
  })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const { busy, problem, submit } = useSubmit(async () => {
    const { name, displayName, role, disabled } = form
    try {
      if (user) {
        const body = { displayName, role, disabled, version: user.version }
        await ask("PUT /users/:id", { params: { id: user.id }, body })
        done(undefined)
      } else {
        const { invitation } = await ask("POST /users", { body: { name: name.trim(), displayName, role } })
        done({ name: name.trim(), ...invitation })
      }
    } finally {
      await refresh("/users")
    }
  })
  return (
    <Dialog title={user ? `Change ${user.name}` : "Invite somebody"} close={close}>
      <ProblemNotice problem={problem} shown={(pointer) => /^\/(name|displayName)$/.test(pointer)} />
      {!user && (
        <TextField
          label="Name to sign in with"
          value={form.name}
          change={(name) => set({ name })}
          error={fieldError(problem, "/name")}
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
        />
      )}
      <TextField
        label="Their name"
        optional
        value={form.displayName}
        change={(displayName) => set({ displayName })}
        error={fieldError(problem, "/displayName")}
      />
      <Choices
        label="Role"
        options={ROLES.map(({ role, text }) => [role, text])}
        value={[form.role]}
        change={([chosen]) => set({ role: ROLES.find(({ role }) => role === chosen)?.role ?? "viewer" })}
      />
      <p className="muted small">{ROLES.find(({ role }) => role === form.role)?.about}</p>
      {user && (
        <CheckField
          label="Disabled"
          hint="Sessions and tokens end at once; what they own stays."
          value={form.disabled}
          change={(disabled) => set({ disabled })}
        />
      )}
      <div className="dialog-foot">
        <Button onClick={close}>Leave it</Button>
        <Button look="primary" busy={busy} onClick={() => void submit()}>
          {user ? "Save" : "Invite"}
        </Button>
      </div>
    </Dialog>
  )
}

const ROLES: readonly { readonly role: Role; readonly text: string; readonly about: string }[] = [
  { role: "viewer", text: "Viewer", about: "Sees flows, runs, schedules and data sources." },
  {
    role: "operator",
    text: "Operator",
    about: "Starts, cancels and resumes runs besides, and looks after rejected rows.",
  },
  { role: "developer", text: "Developer", about: "Writes flows, schedules, triggers and data sources besides." },
  { role: "admin", text: "Administrator", about: "May do everything: users, grants, settings and the audit log." },
]
