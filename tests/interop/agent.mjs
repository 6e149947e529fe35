// One unmodified stock client under remote control.
//
//   node agent.mjs CLIENT        CLIENT is a folder of node_modules, such as y-websocket-3
//
// Reads one JSON command a line from standard input, {"op", "peer", ...}, and answers each with one
// line: {"value"} or {"error"}. A peer is one Y.Doc with its provider; it keeps its shared text in
// Y.Text "text" and notes what its provider emitted.

import { createInterface } from 'node:readline'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { Awareness } from 'y-protocols/awareness'

globalThis.WebSocket = WebSocket // what browsers have and y-websocket's resync expects

const client = process.argv[2]
const { WebsocketProvider, HocuspocusProvider, HocuspocusProviderWebsocket } = await import(client)

const peers = new Map()
const sockets = new Map() // Hocuspocus: many providers on one socket
const uncaught = []
process.on('uncaughtException', (error) => uncaught.push(String(error?.stack ?? error)))
process.on('unhandledRejection', (error) => uncaught.push(String(error?.stack ?? error)))
for (const level of ['log', 'warn', 'error']) console[level] = (...words) => process.stderr.write(`${words.join(' ')}\n`)

/** A WebSocket class that counts what it opens, so that a reconnect loop can be seen, and takes handshake headers. */
function countingSocket (stats, protocols) {
  return class extends WebSocket {
    constructor (url, given = []) {
      super(url, [...protocols, ...given])
      stats.opened.push(Date.now())
      this.on('message', () => stats.messages++)
      this.on('close', (code, reason) => stats.closes.push({ code, reason: String(reason), at: Date.now() }))
    }
  }
}

const newStats = () => ({ opened: [], closes: [], messages: 0 })

function note (peer, emitter, names) {
  for (const name of names) {
    emitter.on(name, (event) => {
      const clean = event?.event ? { code: event.event.code, reason: event.event.reason } : event
      peer.events.push({ name, event: JSON.parse(JSON.stringify(clean ?? null, (key, value) => key === 'provider' ? undefined : value)) })
    })
  }
}

function openYWebsocket ({ url, document, token, via, protocols = [], resyncInterval = -1 }, peer) {
  const params = via === 'query' ? { token } : {}
  const offered = via === 'subprotocol' ? [token, ...protocols] : protocols
  const provider = new WebsocketProvider(`${url}/collab`, document, peer.doc, {
    awareness: peer.awareness,
    params,
    protocols: offered,
    resyncInterval,
    disableBc: true,
    WebSocketPolyfill: countingSocket(peer.stats, [])
  })
  note(peer, provider, ['status', 'sync', 'closed'])
  return provider
}

function hocuspocusSocket ({ url, token, via }, stats) {
  const query = via === 'query' ? `?token=${encodeURIComponent(token)}` : ''
  const socket = new HocuspocusProviderWebsocket({
    url: `${url}/collab${query}`,
    WebSocketPolyfill: countingSocket(stats, via === 'subprotocol' ? [token] : [])
  })
  return { socket, stats }
}

function openHocuspocus (command, peer) {
  const { document, token, via, socket: shared, sessionAwareness = false } = command
  if (shared !== undefined && !sockets.has(shared)) sockets.set(shared, hocuspocusSocket(command, newStats()))
  const { socket, stats } = shared === undefined ? hocuspocusSocket(command, peer.stats) : sockets.get(shared)
  peer.stats = stats
  peer.ownSocket = shared === undefined
  const provider = new HocuspocusProvider({
    websocketProvider: socket,
    name: document,
    document: peer.doc,
    awareness: peer.awareness,
    token: via === undefined || via === 'message' ? token : 'in-the-handshake',
    sessionAwareness,
    broadcast: false // 2.x: no talk between the peers of this process behind the server's back
  })
  note(peer, provider, ['status', 'authenticated', 'authenticationFailed', 'synced', 'close', 'stateless', 'unsyncedChanges'])
  provider.attach?.() // 3.x and 4.x: a provider with a shared socket is attached by hand
  return provider
}

const socketOf = (provider) => provider.ws ?? provider.configuration?.websocketProvider.webSocket

const operations = {
  open (command) {
    const doc = new Y.Doc()
    if (command.clientID !== undefined) doc.clientID = command.clientID
    if (command.draft !== undefined) doc.getText('text').insert(0, command.draft) // written before it ever connected
    const isPlain = WebsocketProvider !== undefined
    const awareness = command.presence === null && !isPlain ? null : new Awareness(doc)
    if (command.presence === null) awareness?.setLocalState(null)
    else if (command.presence !== undefined) awareness.setLocalState(command.presence)
    const peer = { doc, awareness, events: [], stats: newStats() }
    peers.set(command.peer, peer)
    peer.provider = (isPlain ? openYWebsocket : openHocuspocus)(command, peer)
    return { clientID: doc.clientID }
  },

  insert ({ at, text }, { doc }) {
    const shared = doc.getText('text')
    shared.insert(at ?? shared.length, text)
  },

  delete ({ at, length }, { doc }) {
    doc.getText('text').delete(at, length)
  },

  presence ({ state }, { awareness }) {
    awareness.setLocalState(state)
  },

  look (_, { provider, doc, awareness, events, stats }) {
    return {
      text: doc.getText('text').toString(),
      synced: provider.synced,
      unsynced: provider.hasUnsyncedChanges ?? null,
      scope: provider.authorizedScope ?? null,
      authenticated: provider.isAuthenticated ?? null,
      others: awareness === null ? {} : Object.fromEntries([...awareness.getStates()].filter(([id]) => id !== doc.clientID)),
      events,
      connections: stats.opened.length,
      openedAt: stats.opened,
      messages: stats.messages,
      closes: stats.closes,
      wants: provider.shouldConnect ?? provider.configuration.websocketProvider.shouldConnect,
      uncaught: uncaught.splice(0)
    }
  },

  disconnect (_, { provider, ownSocket }) {
    if (ownSocket) provider.configuration.websocketProvider.disconnect()
    else provider.disconnect()
  },

  connect (_, { provider, ownSocket }) {
    if (ownSocket) provider.configuration.websocketProvider.connect()
    else provider.connect()
  },

  // the network is gone: no close frame, the socket is simply dead
  cut (_, { provider }) {
    socketOf(provider)?.terminate()
  },

  // what each version's documentation gives for another token on the same socket
  async logIn ({ token }, { provider }) {
    provider.configuration.token = token
    if (provider.sendToken === undefined) return provider.connect() // 2.x
    await provider.sendToken()
    provider.forceSync()
  },

  reattach ({ token }, { provider }) {
    provider.configuration.token = token
    provider.detach()
    provider.attach()
  },

  forceSync (_, { provider }) {
    provider.forceSync()
  },

  stateless ({ payload }, { provider }) {
    provider.sendStateless(payload)
  },

  destroy ({ peer: name }, { provider, doc, ownSocket }) {
    const socket = provider.configuration?.websocketProvider
    provider.destroy()
    if (ownSocket) socket.destroy()
    doc.destroy()
    peers.delete(name)
  },

  destroySocket ({ socket }) {
    sockets.get(socket).socket.destroy()
    sockets.delete(socket)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  let answer
  try {
    answer = { value: (await operations[command.op](command, peers.get(command.peer))) ?? null }
  } catch (error) {
    answer = { error: String(error?.stack ?? error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
process.exit(0)
