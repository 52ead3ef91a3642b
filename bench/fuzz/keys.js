/** The keys of a run by scope. */
export const KEYS = Object.fromEntries(
  ['read', 'write', 'admin'].map((scope) => [scope, `${scope}-key-of-the-fuzzer`])
)
