import '../styles/base.css'
import '../styles/controls.css'
import './docs.css'
import { render } from 'preact'
import { DocsPage } from './docs-page.js'

render(<DocsPage />, document.getElementById('app')!)
