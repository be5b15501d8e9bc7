import { type FormEvent, useState } from "react"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { Button } from "../../parts/button.tsx"
import { TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { toast } from "../../parts/toast.tsx"
import { useMe, useSession } from "../../shell/session.tsx"

/** Changes one's own password; other sessions end by it. */
export function PasswordForm() {
  const me = useMe()
  const { take } = useSession()
  const [form, setForm] = useState({ current: "", password: "", again: "" })
  const isSame = form.password === form.again
  const { busy, problem, submit } = useSubmit(async () => {
    const { current, password } = form
    take(await ask("POST /me/password", { body: { current, password } }))
    setForm({ current: "", password: "", again: "" })
    toast("The password was changed; other sessions have ended")
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (isSame) void submit()
  }
  return (
    <form className="form" onSubmit={send}>
      <ProblemNotice problem={problem} shown={(pointer) => /^\/(current|password)$/.test(pointer)} />
      <input className="hidden" autoComplete="username" value={me.name} readOnly tabIndex={-1} aria-hidden="true" />
      <TextField
        label="Present password"
        type="password"
        autoComplete="current-password"
        value={form.current}
        change={(current) => setForm({ ...form, current })}
        error={fieldError(problem, "/current")}
        required
      />
      <div className="pair">
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          hint="Twelve characters or more."
          value={form.password}
          change={(password) => setForm({ ...form, password })}
          error={fieldError(problem, "/password")}
          minLength={12}
          required
        />
        <TextField
          label="Once more"
          type="password"
          autoComplete="new-password"
          value={form.again}
          change={(again) => setForm({ ...form, again })}
          error={form.again !== "" && !isSame ? "This is not the same password" : undefined}
          required
        />
      </div>
      <div className="actions">
        <Button type="submit" busy={busy}>
          Change the password
        </Button>
      </div>
    </form>
  )
}
