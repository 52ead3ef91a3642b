/** The key under which equal work of those who share it is known. */
export function sharedKey<Key extends string | undefined>(
  key: Key,
  sharing: string | undefined
): Key | string {
  return key === undefined || sharing === undefined ? key : `${sharing}\0${key}`
}
