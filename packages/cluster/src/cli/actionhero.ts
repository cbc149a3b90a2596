// What ActionHero's variables mean here, and what there is to say of those that mean something else.
import { AH_CLUSTER_USAGE } from '../errors.ts'
import type { ActionHeroVariables } from './environment.ts'

/** Whether `ENABLE_WEB_SERVER` leaves connections to other processes. Throws `AH_CLUSTER_USAGE`. */
export function isWebServerOff(variables: ActionHeroVariables): boolean {
  return isSwitchedOn(variables, 'ENABLE_WEB_SERVER') === false
}

/** What the operator should know. Throws `AH_CLUSTER_USAGE` for a switch that is neither yes nor no. */
export function adviceOn(variables: ActionHeroVariables): string[] {
  const advice: string[] = []
  isSwitchedOn(variables, 'ENABLE_WEB_SERVER')
  isSwitchedOn(variables, 'ENABLE_WEBSOCKET_SERVER')
  if (isSwitchedOn(variables, 'ENABLE_TCP_SERVER') === true) {
    advice.push('ENABLE_TCP_SERVER is set, but there is no TCP server: clients have to come by HTTP or websocket')
  }
  if (variables.ACTIONHERO_ROOT !== undefined) {
    advice.push('ACTIONHERO_ROOT is ignored: nothing of ActionHero is loaded; the project is PROJECT_ROOT')
  }
  return advice
}

function isSwitchedOn(variables: ActionHeroVariables, name: keyof ActionHeroVariables): boolean | undefined {
  const value = variables[name]
  if (value === undefined) return undefined
  const word = value.toLowerCase()
  if (word === 'true' || word === '1') return true
  if (word === 'false' || word === '0') return false
  throw new AH_CLUSTER_USAGE(`${name}: expected true or false, got "${value}"`)
}
