import { join } from 'node:path'
import { defineConfig } from 'vite'
import { compression, defineAlgorithm } from 'vite-plugin-compression2'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [
    compression({
      include: /\.(html|js|css|svg)$/,
      algorithms: ['gzip', defineAlgorithm('brotliCompress')],
      threshold: 512
    })
  ],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['index.html', 'docs.html'].map((page) => join(import.meta.dirname, page)) },
    license: { fileName: 'licences.md' },
    // deck.gl, which comes with the map alone.
    chunkSizeWarningLimit: 800
  },
  // Against a service of its own: npm start.
  server: { proxy: { '^/(v1|health|docs/|openapi)': 'http://localhost:8080' } }
})
