// A Yjs process for the tests: one JSON command a line on standard input, one JSON answer a line on standard output.
import { createInterface } from 'node:readline'
import { Y, base64, bytes, content } from './yjs.mjs'

const documents = new Map()

/** Applies updates to a new document; says what came of it, and how long the worst step took. */
const open = (updates, gc = true) => {
  const doc = new Y.Doc({ gc })
  const started = performance.now()
  for (const update of updates) Y.applyUpdate(doc, bytes(update))
  const shown = content(doc)
  const state = Y.encodeStateAsUpdate(doc)
  const again = new Y.Doc()
  Y.applyUpdate(again, state)
  return {
    content: shown,
    state: base64(state),
    vector: vectorOf(doc),
    pending: doc.store.pendingStructs !== null || doc.store.pendingDs !== null,
    milliseconds: performance.now() - started
  }
}

const vectorOf = (doc) =>
  Object.fromEntries([...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b))

/** The type at a path of child numbers (counted round and round) below a root, or null. */
const at = (doc, { root, kind, path = [] }) => {
  let type = doc[{ text: 'getText', map: 'getMap', array: 'getArray', xml: 'getXmlFragment' }[kind]](root)
  for (const step of path) {
    if (!(type instanceof Y.AbstractType) || !type.get || !type.length) return null
    type = type.get(step % type.length)
  }
  return type instanceof Y.AbstractType ? type : null
}

const make = (value) => {
  if (value === null || typeof value !== 'object' || !('new' in value)) return value
  return {
    text: () => new Y.Text(value.text),
    map: () => new Y.Map(Object.entries(value.entries ?? {})),
    array: () => Y.Array.from(value.items ?? []),
    element: () => new Y.XmlElement(value.name),
    xmltext: () => new Y.XmlText(value.text)
  }[value.new]()
}

const edits = {
  insert: (type, { index, text, attributes }) => type.insert(index % (type.length + 1), text, attributes),
  remove: (type, { index, length }) => {
    const start = index % (type.length + 1)
    type.delete(start, Math.min(length, type.length - start))
  },
  format: (type, { index, length, attributes }) => {
    const start = index % (type.length + 1)
    type.format(start, Math.min(length, type.length - start), attributes)
  },
  embed: (type, { index, value }) => type.insertEmbed(index % (type.length + 1), make(value)),
  put: (type, { index, value }) => {
    const at = index % (type.length + 1)
    if (type instanceof Y.Text) type.insertEmbed(at, make(value))
    else type.insert(at, [make(value)])
  },
  set: (type, { key, value }) => (type.setAttribute ? type.setAttribute(key, value) : type.set(key, make(value))),
  unset: (type, { key }) => (type.removeAttribute ? type.removeAttribute(key) : type.delete(key))
}

const commands = {
  open: ({ updates, gc }) => open(updates, gc),
  /** Opens a batch of updates on one base; a failure of one is its answer, not the end. */
  judge: ({ base, batch }) =>
    batch.map((update) => {
      try {
        const { vector, pending, milliseconds } = open([...base, update])
        return { vector, pending, milliseconds }
      } catch (error) {
        return { error: String(error?.stack ?? error) }
      }
    }),
  merge: ({ updates }) => base64(Y.mergeUpdates(updates.map(bytes))),
  create: ({ id, client, gc = true, undo = [] }) => {
    const doc = new Y.Doc({ gc })
    doc.clientID = client
    const updates = []
    doc.on('update', (update, origin) => {
      if (origin !== 'remote') updates.push(base64(update))
    })
    const scope = undo.map((place) => at(doc, place))
    const manager = scope.length ? new Y.UndoManager(scope, { captureTimeout: 0 }) : null
    documents.set(id, { doc, updates, manager })
    return null
  },
  /** One transaction; the updates it made. */
  edit: ({ id, place, edit, ...options }) => {
    const { doc, updates } = documents.get(id)
    updates.length = 0
    doc.transact(() => {
      const type = at(doc, place)
      if (type !== null) edits[edit](type, options)
    })
    return updates.splice(0)
  },
  undo: ({ id }) => {
    const { updates, manager } = documents.get(id)
    updates.length = 0
    manager.undo()
    return updates.splice(0)
  },
  redo: ({ id }) => {
    const { updates, manager } = documents.get(id)
    updates.length = 0
    manager.redo()
    return updates.splice(0)
  },
  /** The updates with which it answers: Yjs tidies formats that others have made redundant. */
  apply: ({ id, updates }) => {
    const { doc, updates: made } = documents.get(id)
    made.length = 0
    for (const update of updates) Y.applyUpdate(doc, bytes(update), 'remote')
    return made.splice(0)
  },
  show: ({ id }) => {
    const { doc } = documents.get(id)
    return { content: content(doc), vector: vectorOf(doc), pending: doc.store.pendingStructs !== null }
  },
  state: ({ id, vector }) => base64(Y.encodeStateAsUpdate(documents.get(id).doc, vector && bytes(vector))),
  length: ({ id, place }) => at(documents.get(id).doc, place).length,
  drop: ({ ids }) => {
    for (const id of ids) documents.delete(id)
    return null
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...options } = JSON.parse(line)
  let answer
  try {
    answer = { result: commands[command](options) }
  } catch (error) {
    answer = { error: String(error?.stack ?? error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
