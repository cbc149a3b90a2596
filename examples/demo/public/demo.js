// The demo page but for its chat: asks for the state every second and shows who answered.
import { ask, attempt, element } from './ask.js'

const answered = new Map()

function credit(pid) {
  answered.set(pid, (answered.get(pid) ?? 0) + 1)
}

function row(term, value) {
  const dt = document.createElement('dt')
  const dd = document.createElement('dd')
  dt.textContent = term
  dd.textContent = value
  return [dt, dd]
}

function workerCard({ id, pid, state, restarts, uptimeMs }, isAnswering) {
  const card = document.createElement('article')
  card.className = isAnswering ? 'worker answered' : 'worker'
  card.dataset.worker = id
  const title = document.createElement('h2')
  title.textContent = `Worker ${id}`
  const shownPid = document.createElement('div')
  shownPid.className = 'pid'
  shownPid.textContent = `pid ${pid}`
  const facts = document.createElement('dl')
  facts.append(
    ...row('state', state),
    ...row('up', `${Math.round(uptimeMs / 1000)} s`),
    ...row('restarts', restarts),
    ...row('answered you', answered.get(pid) ?? 0),
  )
  const kill = document.createElement('button')
  kill.className = 'kill'
  kill.textContent = 'kill -9'
  kill.onclick = () => attempt(() => ask('POST', `workers/${pid}/kill`))
  card.append(title, shownPid, facts, kill)
  return card
}

async function refresh() {
  const { count, workers, nodes, queues, answeredBy } = await ask('GET', 'state')
  credit(answeredBy)
  element('count').textContent = count
  element('workers').replaceChildren(...workers.map((worker) => workerCard(worker, worker.pid === answeredBy)))
  element('nodes').textContent = `live nodes: ${nodes.map(({ title, pid }) => `${title} (pid ${pid})`).join(', ')}`
  const waiting = Object.entries(queues).map(([queue, length]) => `${length} in ${queue}`)
  element('queues').textContent = `waiting: ${waiting.join(', ')}`
}

// The last loaf that was put into the oven; the others are baked unseen.
let loaf

async function watchLoaf(id) {
  loaf = id
  while (loaf === id) {
    const { state, progress, result } = await ask('GET', `loaves/${id}`)
    if (progress) element('baked').value = progress.percent
    const { bakedBy, recovered } = result ?? progress ?? {}
    const again = recovered ? ', who began again: its first baker was killed' : ''
    if (state === 'waiting') element('loaf').textContent = 'waits for a baker'
    if (state === 'running') element('loaf').textContent = `baked by pid ${bakedBy}${again}`
    if (state === 'succeeded') {
      element('loaf').textContent = `done by pid ${bakedBy}${again}`
      return
    }
    if (state === 'failed' || state === 'cancelled') throw new Error(`the loaf is ${state}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function count(times) {
  const answers = await Promise.all(Array.from({ length: times }, () => ask('POST', 'count')))
  for (const { countedBy } of answers) credit(countedBy)
  const by = [...new Set(answers.map(({ countedBy }) => countedBy))]
  element('counted').textContent = `counted by ${by.map((pid) => `pid ${pid}`).join(' and ')}`
  await refresh()
}

element('reload').onclick = () => attempt(() => ask('POST', 'reload'))
element('bake').onclick = () =>
  attempt(async () => {
    element('baked').value = 0
    const { id } = await ask('POST', 'loaves')
    await watchLoaf(id)
  })
element('kill-baker').onclick = () =>
  attempt(() => {
    if (loaf === undefined) throw new Error('there is nothing in the oven')
    return ask('POST', `loaves/${loaf}/kill`)
  })
element('count-one').onclick = () => attempt(() => count(1))
element('count-many').onclick = () => attempt(() => count(50))
element('note').onsubmit = (event) => {
  event.preventDefault()
  const text = new FormData(event.target).get('text')
  void attempt(async () => {
    const { savedBy } = await ask('PUT', 'notes/shared', { text })
    const note = await ask('GET', 'notes/shared')
    credit(note.loadedBy)
    element('noted').textContent = `“${note.text}” saved by pid ${savedBy}, loaded by pid ${note.loadedBy}`
  })
}

element('message').onsubmit = (event) => {
  event.preventDefault()
  const text = new FormData(event.target).get('text')
  void attempt(() => ask('POST', 'messages', { text }))
}

// Ten of them are enough to see that they come.
new EventSource('messages').onmessage = ({ data }) => {
  const { text, saidBy, heardBy } = JSON.parse(data)
  const line = document.createElement('li')
  line.textContent = `“${text}” said by pid ${saidBy}, heard by pid ${heardBy}`
  element('messages').prepend(line)
  element('messages').children[10]?.remove()
}

await attempt(refresh)
setInterval(() => attempt(refresh), 1000)
