// Compiles the SIMD kernels under wasm/ to modules that hold them as base64: npm run wasm
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

/** Each kernel's source, and the module that it becomes. */
export const KERNELS = {
  'wasm/resample.ts': 'src/encoder/resample-kernel.ts',
  'wasm/dot-products.ts': 'src/collections/dot-products-kernel.ts'
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** The text of the module that a kernel becomes. Throws with the compiler's messages. */
export async function compileKernel(source) {
  let binary
  const options = [
    '--optimizeLevel',
    '3',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--initialMemory',
    '1',
    '--outFile',
    'kernel.wasm'
  ]
  const { error, stderr } = await asc.main([source, '--baseDir', root, ...options], {
    writeFile: (_, contents) => void (binary = contents)
  })
  if (error) throw new Error(stderr.toString() || error.message)
  const base64 = Buffer.from(binary).toString('base64')
  return `// Compiled from ${source} by \`npm run wasm\`.\nexport default '${base64}'\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [source, module] of Object.entries(KERNELS))
    writeFileSync(root + module, await compileKernel(source))
}
