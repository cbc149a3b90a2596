// The lines of the chat, as they are shown. All that people wrote goes into text nodes, and cannot turn what stands beside it.

const mostShown = 300

/** A line that came twice is shown once; those that wait to be said stand at the end. */
export class Lines {
  #list
  /** `<name> <key>` → row, oldest first. */
  #shown = new Map()
  /** Key → row. */
  #waiting = new Map()

  constructor(list) {
    this.#list = list
  }

  add({ name, key, text, worker, sentAt }, isOwn) {
    const mark = JSON.stringify([name, key])
    if (isOwn) this.#forget(key)
    if (this.#shown.has(mark)) return
    const row = rowOf(name, text)
    row.dataset.own = isOwn
    row.dataset.worker = worker.id
    const through = part('span', 'through', `worker ${worker.id}`)
    through.append(part('span', 'process', ` · pid ${worker.pid}`))
    const time = part('time', 'time', new Date(sentAt).toLocaleTimeString())
    row.querySelector('.head').append(through, time)
    this.#shown.set(mark, row)
    this.#append(row)
    if (this.#shown.size > mostShown) {
      const [[oldest, oldestRow]] = this.#shown
      this.#shown.delete(oldest)
      oldestRow.remove()
    }
  }

  /** It is to be said. */
  wait(key, name, text) {
    const row = rowOf(name, text)
    row.dataset.own = true
    row.dataset.state = 'waiting'
    row.querySelector('.head').append(part('span', 'time', 'not said yet'))
    this.#waiting.set(key, row)
    this.#append(row)
  }

  /** It will not be said. */
  refuse(key, why) {
    const row = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (row === undefined) return
    row.dataset.state = 'refused'
    row.querySelector('.time').textContent = why
  }

  note(text) {
    this.#append(part('div', 'note', text))
  }

  warn(text) {
    this.#append(part('div', 'note warning', text))
  }

  #forget(key) {
    this.#waiting.get(key)?.remove()
    this.#waiting.delete(key)
  }

  /** Before those that wait; who reads further up is left there. */
  #append(row) {
    const list = this.#list
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40
    const [first] = this.#waiting.values()
    list.insertBefore(row, row.dataset.state === 'waiting' ? null : (first ?? null))
    if (isAtEnd) list.scrollTop = list.scrollHeight
  }
}

function rowOf(name, text) {
  const row = part('div', 'line', '')
  const head = part('div', 'head', '')
  head.append(part('bdi', 'who', name))
  const said = part('p', 'text', text)
  said.dir = 'auto'
  row.append(head, said)
  return row
}

function part(tag, className, text) {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  return made
}
