import './styles/base.css'
import './styles/controls.css'
import { render } from 'preact'
import { Shell } from './shell.js'

render(<Shell />, document.getElementById('app')!)
