import { useEffect } from "react"
import { Mark } from "../../parts/icon.tsx"
import { SignInForm } from "./sign-in-form.tsx"

export default function SignInPage() {
  useEffect(() => {
    document.title = "Sign in · Headrace"
  }, [])
  return (
    <main className="gate">
      <div className="brand">
        <Mark size={26} />
        Headrace
      </div>
      <h1>Sign in</h1>
      <p className="lead">to run and watch the flows of this server.</p>
      <SignInForm />
    </main>
  )
}
