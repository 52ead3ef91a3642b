export const KERNELS: Record<string, string>
export function compileKernel(source: string): Promise<string>
