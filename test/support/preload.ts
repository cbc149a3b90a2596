// Owns what is loaded into a process under test before its own code.
import './shifted-date.ts'
import './unhandled-watch.ts'
