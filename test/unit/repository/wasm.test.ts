import { readFileSync } from 'node:fs'
import t from 'tap'
import { compileKernel, KERNELS } from '../../../scripts/wasm.js'

for (const [source, module] of Object.entries(KERNELS)) {
  t.test(`${module} is what ${source} compiles to`, async (t) => {
    t.equal(
      readFileSync(new URL(`../../../${module}`, import.meta.url), 'utf8'),
      await compileKernel(source),
      'run npm run wasm'
    )
  })
}
