/** The packages that are shipped, with their place in node_modules. */
export declare function shippedPackages(): Promise<
  { place: string; name: string; version: string; license?: string }[]
>
