/** The precisions in which the towers of a package come; fp32 is the file name without a suffix. */
export const VARIANTS = ['fp32', 'fp16', 'int8', 'uint8', 'quantized', 'q4', 'q4f16', 'bnb4'] as const

export type Variant = (typeof VARIANTS)[number]
