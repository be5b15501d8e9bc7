import { type FormEvent, useState } from "react"
import { ask } from "../../api/client.ts"
import { Button } from "../../parts/button.tsx"
import { TextField } from "../../parts/field.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { type Session, useSession } from "../../shell/session.tsx"

/** Name and password. The browser's own keeper of passwords knows both fields. */
export function SignInForm({ name: known, done }: { readonly name?: string; done?(session: Session): void }) {
  const { take } = useSession()
  const [name, setName] = useState(known ?? "")
  const [password, setPassword] = useState("")
  const { busy, problem, submit } = useSubmit(async () => {
    const session = await ask("POST /session", { body: { name: name.trim(), password } })
    take(session)
    done?.(session)
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    void submit()
  }
  return (
    <form className="form" onSubmit={send}>
      <ProblemNotice problem={problem} />
      <TextField
        label="Name"
        value={name}
        change={setName}
        readOnly={known !== undefined}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        autoFocus={known === undefined}
      />
      <TextField
        label="Password"
        type="password"
        value={password}
        change={setPassword}
        autoComplete="current-password"
        required
        autoFocus={known !== undefined}
      />
      <Button type="submit" look="primary" busy={busy}>
        Sign in
      </Button>
    </form>
  )
}
