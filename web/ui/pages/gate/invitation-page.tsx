import { type FormEvent, useEffect, useState } from "react"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { Button } from "../../parts/button.tsx"
import { TextField } from "../../parts/field.tsx"
import { Mark } from "../../parts/icon.tsx"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { navigate } from "../../route/router.tsx"
import { useSession } from "../../shell/session.tsx"
import { useLinkSecret } from "./link-secret.ts"

/** Somebody who was invited, or whose password was taken away, chooses one. */
export default function InvitationPage() {
  const secret = useLinkSecret()
  const { take } = useSession()
  const [form, setForm] = useState({ password: "", again: "" })
  const isSame = form.password === form.again
  const { busy, problem, submit } = useSubmit(async () => {
    take(await ask("POST /invitations", { body: { secret, password: form.password } }))
    navigate("/", { replace: true })
  })
  useEffect(() => {
    document.title = "Choose a password · Headrace"
  }, [])
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (isSame) void submit()
  }
  return (
    <main className="gate">
      <div className="brand">
        <Mark size={26} />
        Headrace
      </div>
      <h1>Choose a password</h1>
      <p className="lead">The link works once; then you sign in with your name and this password.</p>
      {secret === "" ? (
        <Notice tone="warn" title="This address lacks its one-time secret">
          Open the link that you were given, to the letter.
        </Notice>
      ) : (
        <form className="form" onSubmit={send}>
          <ProblemNotice problem={problem} shown={(pointer) => pointer === "/password"} />
          <TextField
            label="Password"
            type="password"
            hint="Twelve characters or more. Several words are easier to keep than signs."
            value={form.password}
            change={(password) => setForm({ ...form, password })}
            error={fieldError(problem, "/password")}
            autoComplete="new-password"
            minLength={12}
            required
            autoFocus
          />
          <TextField
            label="Password once more"
            type="password"
            value={form.again}
            change={(again) => setForm({ ...form, again })}
            error={form.again !== "" && !isSame ? "This is not the same password" : undefined}
            autoComplete="new-password"
            required
          />
          <Button type="submit" look="primary" busy={busy}>
            Use this password
          </Button>
        </form>
      )}
    </main>
  )
}
