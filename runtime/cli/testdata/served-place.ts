import { afterAll } from "bun:test"
import { ApiClient } from "../../../scripts/testing/api-client.ts"
import { serve } from "../../../scripts/testing/served.ts"
import { Workplace } from "./headrace.ts"

/** A server of its own, its first administrator, and a place to call it from; all of it ends with the tests of the file. */
export async function servedPlace() {
  const served = await serve()
  const ada = await ApiClient.setUp(served)
  const at = new Workplace()
  afterAll(async () => {
    at[Symbol.dispose]()
    await served[Symbol.asyncDispose]()
  })
  return { served, ada, at }
}
