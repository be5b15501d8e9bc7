import { type FormEvent, useEffect, useState } from "react"
import { ask } from "../../api/client.ts"
import { fieldError } from "../../api/problem.ts"
import { useRead } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { TextField } from "../../parts/field.tsx"
import { Mark } from "../../parts/icon.tsx"
import { Notice, ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { Link, navigate } from "../../route/router.tsx"
import { useSession } from "../../shell/session.tsx"
import { useLinkSecret } from "./link-secret.ts"

/** The first administrator, by the link that the server has printed. */
export default function SetupPage() {
  const secret = useLinkSecret()
  const { take } = useSession()
  const state = useRead("GET /setup", {})
  const [form, setForm] = useState({ name: "", displayName: "", password: "", again: "" })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const isSame = form.password === form.again
  const { busy, problem, submit } = useSubmit(async () => {
    const { name, displayName, password } = form
    take(
      await ask("POST /setup", {
        body: { secret, name: name.trim(), displayName: displayName.trim() || name.trim(), password },
      }),
    )
    navigate("/", { replace: true })
  })
  useEffect(() => {
    document.title = "Set up Headrace"
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
      <h1>Make the first administrator</h1>
      <p className="lead">This works once. Further people are added inside.</p>
      {state.data?.needed === false ? (
        <Notice tone="warn" title="This has been done already">
          There is an administrator. <Link to="/">Sign in</Link>, or ask them to invite you.
        </Notice>
      ) : secret === "" ? (
        <Notice tone="warn" title="This address lacks its one-time secret">
          Open the setup link that the server printed when it started, to the letter.
        </Notice>
      ) : (
        <form className="form" onSubmit={send}>
          <ProblemNotice problem={problem} shown={(pointer) => /^\/(name|displayName|password)$/.test(pointer)} />
          <TextField
            label="Name to sign in with"
            value={form.name}
            change={(name) => set({ name })}
            error={fieldError(problem, "/name")}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus
          />
          <TextField
            label="Your name"
            optional
            value={form.displayName}
            change={(displayName) => set({ displayName })}
            error={fieldError(problem, "/displayName")}
            autoComplete="name"
          />
          <TextField
            label="Password"
            type="password"
            hint="Twelve characters or more. Several words are easier to keep than signs."
            value={form.password}
            change={(password) => set({ password })}
            error={fieldError(problem, "/password")}
            autoComplete="new-password"
            minLength={12}
            required
          />
          <TextField
            label="Password once more"
            type="password"
            value={form.again}
            change={(again) => set({ again })}
            error={form.again !== "" && !isSame ? "This is not the same password" : undefined}
            autoComplete="new-password"
            required
          />
          <Button type="submit" look="primary" busy={busy}>
            Make it
          </Button>
        </form>
      )}
    </main>
  )
}
