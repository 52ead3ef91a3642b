/**
 * The address that the paths of the API are appended to: without slashes at its end, and without a `/v1`,
 * which is in the paths already. A path before that, as behind a proxy, stays.
 */
export function baseUrl(url: string): string {
  return url.trim().replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '')
}
