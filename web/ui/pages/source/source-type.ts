import { createContext, useContext } from "react"

/** The component whose options a form shows. */
export const SourceType = createContext("")

export function useSourceType(): string {
  return useContext(SourceType)
}
