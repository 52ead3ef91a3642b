// The types of WebAssembly come with those of browsers only.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module)
    readonly exports: unknown
  }
  interface Memory {
    readonly buffer: ArrayBuffer
    /** By pages of 64 KiB. Throws a RangeError beyond 4 GiB. */
    grow(pages: number): number
  }
}
