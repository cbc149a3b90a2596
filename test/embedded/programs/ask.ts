// A process that says how a connection to the socket in its argument ends.
import { connect } from 'node:net'

const [, , path = ''] = process.argv
const socket = connect(path)
socket.on('connect', () => {
  console.log('connected')
  socket.destroy()
})
socket.on('error', (error: NodeJS.ErrnoException) => console.log(error.code))
