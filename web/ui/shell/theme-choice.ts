import { useSyncExternalStore } from "react"

export type ThemeChoice = "light" | "dark" | "system"

const dark = matchMedia("(prefers-color-scheme: dark)")

/** What is shown now. */
export function useTheme(): "light" | "dark" {
  return useSyncExternalStore(subscribe, () => {
    const chosen = themeChoice()
    return chosen === "system" ? (dark.matches ? "dark" : "light") : chosen
  })
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, themeChoice)
}

/** Kept in the browser; `theme.ts` sets it before the first paint. */
export function setTheme(choice: ThemeChoice): void {
  if (choice === "system") {
    localStorage.removeItem("headrace.theme")
    delete document.documentElement.dataset["theme"]
  } else {
    localStorage.setItem("headrace.theme", choice)
    document.documentElement.dataset["theme"] = choice
  }
  for (const listener of listeners) listener()
}

function themeChoice(): ThemeChoice {
  const chosen = document.documentElement.dataset["theme"]
  return chosen === "light" || chosen === "dark" ? chosen : "system"
}

const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  dark.addEventListener("change", listener)
  return () => {
    listeners.delete(listener)
    dark.removeEventListener("change", listener)
  }
}
