/** The execution provider that every session is created for. */
export const EXECUTION_PROVIDER = 'cpu'
