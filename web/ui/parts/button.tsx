import type { ButtonHTMLAttributes, ReactNode } from "react"
import { Link, type LinkProps } from "../route/router.tsx"
import { Icon, type IconName } from "./icon.tsx"

type Look = "primary" | "plain" | "danger" | "danger primary" | "danger plain"

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: Look | undefined
  readonly icon?: IconName
  /** Something goes on; the button keeps its size and takes no second click. */
  readonly busy?: boolean
  readonly children?: ReactNode
}

export function Button({ look, icon, busy = false, children, className, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={`button ${look ?? ""} ${className ?? ""}`}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy ? <span className="spin" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A button that shows a picture only; `label` is what it is called. */
export function IconButton({
  label,
  icon,
  look = "plain",
  ...rest
}: Omit<ButtonProps, "children"> & { readonly label: string; readonly icon: IconName }) {
  return (
    <button type="button" className={`button icon ${look}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  )
}

/** Looks like a button, and leads somewhere. */
export function ButtonLink({
  look,
  icon,
  children,
  ...rest
}: LinkProps & { readonly look?: Look | undefined; readonly icon?: IconName }) {
  return (
    <Link className={`button ${look ?? ""}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  )
}
