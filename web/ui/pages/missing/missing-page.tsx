import { ButtonLink } from "../../parts/button.tsx"
import { Empty, PageHead } from "../../parts/page.tsx"
import { usePath } from "../../route/router.tsx"

export default function MissingPage() {
  const path = usePath()
  return (
    <>
      <PageHead title="There is no such page" />
      <div className="panel">
        <Empty title={path} action={<ButtonLink to="/">Go to the overview</ButtonLink>}>
          The address may be mistyped, or what it showed has been removed.
        </Empty>
      </div>
    </>
  )
}
