// Where this page is in the chat: whether it is connected, through which worker, and with whom.
import { element } from './ask.js'

/** `state` is `in`, `away` or `out`. */
export function showPlace(state, text) {
  const place = element('place')
  place.dataset.state = state
  place.textContent = text
}

/** All members of the room; `id` is one's own. */
export function showMembers(members, id) {
  const all = Object.entries(members).map(([key, member]) => ({ ...member, isOwn: key === id }))
  all.sort((one, other) => one.name.localeCompare(other.name) || one.worker.pid - other.worker.pid)
  element('members').replaceChildren(...all.map(rowOf))
  element('members-count').textContent = all.length
  const own = all.find(({ isOwn }) => isOwn)
  if (own !== undefined) showPlace('in', `connected through worker ${own.worker.id} (pid ${own.worker.pid})`)
}

function rowOf({ name, worker, isOwn }) {
  const row = document.createElement('li')
  row.dataset.worker = worker.id
  const who = document.createElement('bdi')
  who.textContent = name
  const where = document.createElement('span')
  where.className = 'through'
  where.textContent = `${isOwn ? 'you, ' : ''}worker ${worker.id}`
  row.append(who, where)
  return row
}
