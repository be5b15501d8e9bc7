import "./style/index.css"
import { QueryClientProvider } from "@tanstack/react-query"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { makeQueries } from "./api/query.ts"
import { App } from "./app.tsx"
import { SessionProvider } from "./shell/session.tsx"

const place = document.getElementById("app")
if (place) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={makeQueries()}>
        <SessionProvider>
          <App />
        </SessionProvider>
      </QueryClientProvider>
    </StrictMode>,
  )
}
