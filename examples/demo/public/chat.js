// The chat: a connection that comes again by itself, and lines that are said until they are heard.
import { ask, element } from './ask.js'
import { Lines } from './lines.js'
import { showMembers, showPlace } from './place.js'

const room = 'lobby'
/** Of a line that nobody will ever let in. */
const refusals = ['AH_ROOMS_FORBIDDEN', 'AH_ROOMS_MESSAGE']
const againMs = 1_000

class Chat {
  #name
  #client
  #lines = new Lines(element('lines'))
  /** Key → text of what is to be said, and was not yet heard. */
  #outbox = new Map()
  #ownKeys = new Set()
  #socket
  #isIn = false
  #isSaying = false
  #lostAt
  #isAsking = false
  #isStale = false

  constructor(name) {
    this.#name = name
    // A token for each attempt: it is good for one minute.
    const token = async () => (await ask('POST', 'chat/tokens', { name })).token
    const keep = (socket) => {
      this.#socket = socket
    }
    class KeptSocket extends WebSocket {
      constructor(url) {
        super(url)
        keep(this)
      }
    }
    this.#client = AhRooms.connect('ah/ws', { token, WebSocket: KeptSocket, minDelayMs: 300 })
    this.#client.on('joined', ({ recovered }) => this.#joined(recovered))
    this.#client.on('message', (said) => this.#hear(said))
    this.#client.on('event', () => void this.#look())
    this.#client.on('gap', () => this.#lines.warn('Lines may be missing here: nobody can say which.'))
    this.#client.on('disconnect', (why) => this.#lost(why))
    this.#client.on('left', ({ reason }) => this.#left(reason))
    this.#client.on('closed', ({ code, reason }) => showPlace('out', `The connection is closed: ${reason || code}`))
    showPlace('away', 'connecting…')
    this.#join()
  }

  say(text) {
    const key = crypto.randomUUID()
    this.#ownKeys.add(key)
    this.#outbox.set(key, text)
    this.#lines.wait(key, this.#name, text)
    void this.#sayAll()
  }

  /** Perhaps through another worker: what was missed meanwhile comes. */
  reconnect() {
    this.#socket.close(4001, 'as asked')
  }

  #join() {
    // Without an end: it is asked for again with each connection. A refusal is told by `left`, the end by `closed`.
    this.#client.join(room, { timeoutMs: 2 ** 31 - 1 }).catch(() => undefined)
  }

  #joined(isRecovered) {
    this.#isIn = true
    if (this.#lostAt !== undefined) {
      const seconds = ((Date.now() - this.#lostAt) / 1000).toFixed(1)
      if (isRecovered) this.#lines.note(`Back after ${seconds} s. No line is missing.`)
      else this.#lines.warn(`Back after ${seconds} s. Lines of that time are missing: they are not kept any more.`)
      this.#lostAt = undefined
    }
    showPlace('in', 'connected')
    void this.#look()
  }

  #lost({ code, reason }) {
    this.#isIn = false
    this.#lostAt ??= Date.now()
    const why = code === 1012 ? 'the worker is being replaced' : reason || 'the connection broke'
    showPlace('away', `${why}: coming back…`)
  }

  #left(reason) {
    this.#isIn = false
    if (this.#lostAt === undefined) this.#lines.note(`Out of the room: ${reason}`)
    this.#lostAt ??= Date.now()
    showPlace('away', `out of the room: ${reason}`)
    setTimeout(() => this.#join(), againMs)
  }

  #hear({ message, sentAt }) {
    const isOwn = message.name === this.#name && this.#ownKeys.has(message.key)
    if (isOwn) this.#outbox.delete(message.key)
    this.#lines.add({ ...message, sentAt }, isOwn)
  }

  /** Who is there, and through whom; asked once more if somebody came or went meanwhile. Then what waits is said. */
  async #look() {
    this.#isStale = true
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      while (this.#isStale && this.#isIn) {
        this.#isStale = false
        // What was missed comes before the answers: a line that is among it is not said again.
        const [{ id }, { members }] = await Promise.all([this.#client.details(), this.#client.view(room)])
        showMembers(members, id)
        void this.#sayAll()
      }
    } catch (error) {
      this.#later(error, () => this.#look())
    } finally {
      this.#isAsking = false
    }
  }

  /**
   * One after the other, as they were written. Where a connection breaks before the answer nobody knows whether a line was
   * said: it is said again under its key, and a page that has shown that key shows it once.
   */
  async #sayAll() {
    if (this.#isSaying) return
    this.#isSaying = true
    try {
      for (const [key, text] of this.#outbox) {
        if (!this.#isIn) break
        await this.#sayOne(key, text)
      }
    } catch (error) {
      this.#later(error, () => this.#sayAll())
    } finally {
      this.#isSaying = false
    }
  }

  async #sayOne(key, text) {
    try {
      await this.#client.say(room, { key, text })
      this.#outbox.delete(key)
    } catch (error) {
      if (!refusals.includes(error.code)) throw error
      this.#outbox.delete(key)
      this.#lines.refuse(key, error.message)
    }
  }

  /** Out of the room it is done when it is in again. */
  #later(error, work) {
    if (!this.#isIn) return
    showPlace('in', `it is tried again: ${error.message}`)
    setTimeout(work, againMs)
  }
}

let chat

async function comeIn(given) {
  const refusal = element('refusal')
  try {
    const { name } = await ask('POST', 'chat/tokens', { name: given })
    refusal.hidden = true
    chat = new Chat(name)
    sessionStorage.setItem('name', name)
    element('come-in').hidden = true
    element('say').hidden = false
    element('reconnect').hidden = false
    element('own-name').textContent = name
    element('line').focus({ preventScroll: true })
  } catch (error) {
    refusal.textContent = error.message
    refusal.hidden = false
  }
}

element('come-in').onsubmit = (event) => {
  event.preventDefault()
  void comeIn(element('name').value)
}

element('say').onsubmit = (event) => {
  event.preventDefault()
  const text = element('line').value
  if (text.trim() === '') return
  element('line').value = ''
  chat.say(text)
}

element('reconnect').onclick = () => chat.reconnect()

const kept = sessionStorage.getItem('name')
if (kept !== null) void comeIn(kept)
