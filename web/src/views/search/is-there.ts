/** Whether a value is there, for lists that are sifted. */
export const isThere = <T>(value: T | undefined | null): value is T => value !== undefined && value !== null
