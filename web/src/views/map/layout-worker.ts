import { layOut, type LayoutTask } from './umap-layout.js'

addEventListener('message', ({ data }: MessageEvent<LayoutTask>) => {
  for (const step of layOut(data)) postMessage(step, { transfer: [step.positions.buffer] })
})
