import { Choices } from "../../parts/choices.tsx"
import { PageHead, Panel } from "../../parts/page.tsx"
import { useMe } from "../../shell/session.tsx"
import { setTheme, type ThemeChoice, useThemeChoice } from "../../shell/theme-choice.ts"
import { OwnSessions } from "./own-sessions.tsx"
import { OwnTokens } from "./own-tokens.tsx"
import { PasswordForm } from "./password-form.tsx"

/** What belongs to whoever is signed in. */
export default function AccountPage() {
  const me = useMe()
  return (
    <>
      <PageHead title={me.displayName || me.name} about={`Signed in as ${me.name}, ${me.role}`} />
      <div className="stack">
        <OwnTokens />
        <OwnSessions />
        <Panel title="Password">
          <PasswordForm />
        </Panel>
        <Panel title="Appearance">
          <Appearance />
        </Panel>
      </div>
    </>
  )
}

function Appearance() {
  const choice = useThemeChoice()
  return (
    <Choices
      label="Theme in this browser"
      options={THEMES}
      value={[choice]}
      change={([chosen]) => setTheme(THEMES.find(([one]) => one === chosen)?.[0] ?? "system")}
    />
  )
}

const THEMES: readonly (readonly [ThemeChoice, string])[] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
]
