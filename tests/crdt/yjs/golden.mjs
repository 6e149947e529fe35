// Makes tests/crdt/golden/yjs-13.6.json: what real Yjs writes. Run it by hand after a change here:
//
//     tools/with-node node tests/crdt/yjs/golden.mjs
//
// A case holds the updates in the order they were made, what Yjs encodes of the document they make, and what is in it.
import { writeFileSync } from 'node:fs'
import { Y, base64, content } from './yjs.mjs'

const cases = []

/** A document that collects its updates; client ids are fixed, so that the file is the same each time. */
const document = (client, options = {}) => {
  const doc = new Y.Doc({ guid: `doc-${client}`, ...options })
  doc.clientID = client
  const updates = []
  doc.on('update', (update) => updates.push(update))
  return { doc, updates }
}

const add = (name, about, updates, { doc, exact = true } = {}) => {
  if (doc === undefined) {
    doc = new Y.Doc()
    for (const update of updates) Y.applyUpdate(doc, update)
  }
  cases.push({
    name,
    about,
    exact,
    updates: updates.map(base64),
    state: base64(Y.encodeStateAsUpdate(doc)),
    vector: base64(Y.encodeStateVector(doc)),
    content: content(doc)
  })
}

const single = (name, about, edit, options = {}) => {
  const { doc, updates } = document(options.client ?? 4021, options.doc)
  edit(doc)
  add(name, about, updates, { ...options, doc })
}

const sync = (...peers) => {
  for (const from of peers) {
    for (const to of peers) {
      if (from !== to) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
    }
  }
}

single('typing', 'one writer types forwards, backwards, in the middle, and deletes', (doc) => {
  const text = doc.getText('text')
  for (const character of 'Hello Porto') text.insert(text.length, character)
  for (const character of 'olleH') text.insert(0, character)
  text.insert(4, ' in the middle ')
  text.delete(2, 5)
  text.delete(0, 1)
  text.insert(text.length, 'end')
})

{
  const [a, b] = [document(7), document(4_294_967_295)]
  a.doc.getText('text').insert(0, 'Zaragoza')
  sync(a, b)
  a.doc.getText('text').insert(3, 'aaa')
  b.doc.getText('text').insert(3, 'bbb')
  a.doc.getText('text').delete(5, 2)
  b.doc.getText('text').delete(4, 3)
  sync(a, b)
  b.doc.getText('text').insert(5, 'after')
  sync(a, b)
  add('two writers', 'two people type at one place and delete over each other', a.updates, { doc: a.doc })
  add('two writers, other side', 'the same as the other one received it', b.updates, { doc: b.doc })
}

single('formatting', 'marks over text, overlapping, taken back', (doc) => {
  const text = doc.getText('text')
  text.insert(0, 'plain bold italic')
  text.format(6, 4, { bold: true })
  text.format(8, 9, { italic: true, color: '#a00' })
  text.format(6, 6, { bold: null })
  text.insert(7, 'x', { link: { href: 'https://example.eu/?a=1&b=2', title: null } })
  text.applyDelta([{ retain: 3, attributes: { 'comment--aGFzaDEy': { id: 1 } } }, { delete: 2 }, { insert: '\n' }])
}, { exact: false })

single('embeds', 'objects in text, a type in text', (doc) => {
  const text = doc.getText('text')
  text.insert(0, 'before after')
  text.insertEmbed(7, { image: 'https://example.eu/a.png' })
  text.insertEmbed(0, { mention: { id: 7, nested: [1, [2, [3]]] } }, { bold: true })
  text.insertEmbed(3, new Y.Map([['kind', 'poll']]))
  text.delete(1, 1)
}, { exact: false })

single('tables', 'an XML table as an editor writes it, a row moved away, a cell typed into', (doc) => {
  const fragment = doc.getXmlFragment('prosemirror')
  const table = new Y.XmlElement('table')
  fragment.insert(0, [new Y.XmlElement('paragraph'), table])
  for (let row = 0; row < 3; row++) {
    const tr = new Y.XmlElement('table_row')
    table.insert(row, [tr])
    for (let column = 0; column < 3; column++) {
      const td = new Y.XmlElement(row ? 'table_cell' : 'table_header')
      td.setAttribute('colspan', 1)
      td.setAttribute('colwidth', [100 + column])
      const p = new Y.XmlElement('paragraph')
      p.insert(0, [new Y.XmlText(`${row}.${column}`)])
      td.insert(0, [p])
      tr.insert(column, [td])
    }
  }
  table.get(1).get(1).get(0).get(0).insert(1, ' typed')
  table.get(1).get(1).setAttribute('colspan', 2)
  table.get(1).delete(2, 1)
  table.delete(2, 1)
})

single('maps', 'entries set, overwritten, removed, nested, and keys of every kind', (doc) => {
  const map = doc.getMap('map')
  map.set('a', 1)
  map.set('a', 'two')
  map.set('', 'empty key')
  map.set('ключ 🔑', true)
  map.set('__proto__', 'only a key')
  map.set('nested', new Y.Map([['deep', new Y.Array()]]))
  map.get('nested').get('deep').push([1, 2])
  map.get('nested').set('text', new Y.Text('inside'))
  map.delete('a')
  map.set('a', null)
  map.set('nested', 'gone')
  map.set('undefined', undefined)
})

{
  const [a, b] = [document(100), document(200)]
  a.doc.getMap('map').set('key', 'first')
  sync(a, b)
  a.doc.getMap('map').set('key', 'by a')
  b.doc.getMap('map').set('key', 'by b')
  b.doc.getMap('map').set('other', new Y.Map())
  a.doc.getMap('map').set('other', new Y.Array())
  sync(a, b)
  a.doc.getMap('map').set('key', 'after')
  sync(a, b)
  add('map conflict', 'two people set one key', a.updates, { doc: a.doc })
}

single('arrays', 'every kind of value', (doc) => {
  const array = doc.getArray('array')
  array.push([1, -1, 0, -0, 63, 64, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53 - 1, 1.5, -0.1, 1e300])
  array.push([NaN, Infinity, -Infinity, null, true, false, '', 'text'])
  array.insert(3, [[], [[[[1]]]], {}, { one: 1 }, { nested: { list: [null, undefined] } }])
  array.push([new Uint8Array([0, 1, 255]), new Uint8Array(300).fill(7)])
  array.insert(0, [new Y.Array(), new Y.Text('t'), new Y.Map()])
  array.get(0).push(['inner'])
  array.delete(4, 3)
}, { exact: false })

single('xml', 'elements, text, attributes, a fragment in a map', (doc) => {
  const fragment = doc.getXmlFragment('prosemirror')
  const heading = new Y.XmlElement('heading')
  heading.setAttribute('level', 2)
  heading.insert(0, [new Y.XmlText('Title')])
  fragment.insert(0, [heading])
  fragment.insert(1, [new Y.XmlElement('horizontal_rule')])
  heading.get(0).format(0, 3, { strong: {} })
  heading.removeAttribute('level')
  heading.setAttribute('level', '3')
  heading.insertAfter(heading.get(0), [new Y.XmlElement('image'), new Y.XmlText('after')])
  doc.getMap('map').set('fragment', new Y.XmlFragment())
  doc.getMap('map').get('fragment').push([new Y.XmlText('in a map')])
})

single('subdocuments', 'documents inside, with every option Yjs writes', (doc) => {
  const map = doc.getMap('folder')
  map.set('one', new Y.Doc({ guid: 'one' }))
  map.set('two', new Y.Doc({ guid: 'two', autoLoad: true, gc: false, meta: { title: 'Two', tags: ['a'] } }))
  doc.getArray('list').insert(0, [new Y.Doc({ guid: 'three' })])
  map.set('one', new Y.Doc({ guid: 'four' }))
}, { exact: false })

single('undo', 'undo and redo of typing, marks, map entries and a deleted paragraph', (doc) => {
  const [text, map, xml] = [doc.getText('text'), doc.getMap('map'), doc.getXmlFragment('prosemirror')]
  const undo = new Y.UndoManager([text, map, xml], { captureTimeout: 0 })
  text.insert(0, 'typed')
  text.format(0, 3, { bold: true })
  map.set('a', 1)
  map.set('a', 2)
  const p = new Y.XmlElement('paragraph')
  p.insert(0, [new Y.XmlText('a paragraph')])
  xml.insert(0, [p])
  xml.delete(0, 1)
  text.delete(1, 3)
  for (let i = 0; i < 5; i++) undo.undo()
  for (let i = 0; i < 3; i++) undo.redo()
  text.insert(2, 'more')
  undo.undo()
}, { exact: false }) // Yjs keeps what an undo manager may bring back

single('gc', 'deleted subtrees collected, then edited around', (doc) => {
  const array = doc.getArray('array')
  for (let i = 0; i < 5; i++) {
    const map = new Y.Map()
    array.push([map])
    map.set('text', new Y.Text('some text ' + i))
    map.get('text').insert(4, ' more')
  }
  array.delete(1, 3)
  array.insert(1, ['between'])
  array.delete(0, 1)
})

single('no gc', 'the same without collection', (doc) => {
  const array = doc.getArray('array')
  array.push([new Y.Map([['text', new Y.Text('kept')]]), 'b'])
  array.delete(0, 1)
  array.push(['c'])
}, { doc: { gc: false }, exact: false })

{
  const [a, b] = [document(11), document(12)]
  a.doc.getArray('array').push([new Y.Text('parent')])
  sync(a, b)
  a.doc.getArray('array').delete(0, 1)
  b.doc.getArray('array').get(0).insert(3, 'too late')
  sync(a, b)
  add('gc, a late child', 'text typed into what another has deleted and collected', a.updates, { doc: a.doc })
}

single('surrogate pairs', 'characters beyond the basic plane, never cut', (doc) => {
  const text = doc.getText('text')
  text.insert(0, '👩‍👩‍👧 a 😀 b 𝄞')
  text.insert(8, 'é')
  text.insert(text.length, '🇪🇺')
  text.delete(9, 1)
  doc.getMap('map').set('🙂', '🙃')
})

single('surrogate pairs, cut', 'an edit cuts a pair in two: Yjs puts U+FFFD for each half', (doc) => {
  const text = doc.getText('text')
  text.insert(0, 'a😀b😀c😀d')
  text.delete(2, 1)
  text.insert(5, 'X')
  text.delete(8, 1)
})

{
  const { doc, updates } = document(31)
  const text = doc.getText('text')
  for (const word of ['one ', 'two ', 'three ', 'four ', 'five ']) text.insert(text.length, word)
  text.delete(0, 4)
  const gap = Y.mergeUpdates([updates[0], updates[2], updates[4]])
  const rest = Y.mergeUpdates([updates[1], updates[3], updates[5]])
  add('merged with gaps', 'mergeUpdates over missing ones writes Skip', [gap, rest], { doc })
  add('diff', 'diffUpdate of a merged update', [
    Y.mergeUpdates(updates.slice(0, 3)),
    Y.diffUpdate(Y.mergeUpdates(updates), Y.encodeStateVectorFromUpdate(Y.mergeUpdates(updates.slice(0, 2))))
  ], { doc })
  const late = new Y.Doc()
  Y.applyUpdate(late, updates[0])
  Y.applyUpdate(late, updates[2])
  Y.applyUpdate(late, updates[5])
  add('held back', 'the state of a document that waits for a predecessor holds what waits', [
    Y.encodeStateAsUpdate(late), updates[1], updates[3], updates[4]
  ], { doc })
}

{
  const peers = [1, 2, 3, 4].map((n) => document(n * 1_000_003))
  peers[0].doc.getText('text').insert(0, 'base')
  sync(...peers)
  peers.forEach(({ doc }, n) => {
    for (let i = 0; i < 4; i++) doc.getText('text').insert(i + 1, `${n}${i}`)
    doc.getArray('log').push([n])
  })
  sync(...peers)
  sync(...peers)
  add('four offline', 'four people work offline at one place and come back', peers[2].updates, { doc: peers[2].doc })
}

single('long', 'lengths that need more than one byte', (doc) => {
  const text = doc.getText('a root name that is longer than one hundred and twenty-seven bytes '.repeat(2))
  text.insert(0, 'x'.repeat(20_000))
  text.insert(10_000, 'é'.repeat(200))
  text.delete(5_000, 12_000)
  doc.getArray('array').push(Array.from({ length: 300 }, (_, i) => i))
}, { client: 2 ** 32 - 2 })

single('deep', 'as deep as the limit allows', (doc) => {
  let value = []
  for (let i = 0; i < 63; i++) value = i % 2 ? [value] : { v: value }
  doc.getArray('any').push([value])
  let type = doc.getArray('types')
  for (let i = 0; i < 64; i++) {
    type.insert(0, [new Y.Array()])
    type = type.get(0)
  }
})

// What Yjs can write and we refuse on purpose, with the reason our reader gives.
const refused = []
const refuse = (name, what, update) => refused.push({ name, what, update: base64(update) })

{
  const { doc } = document(51)
  doc.getText('text').insert(0, 'second format')
  refuse('V2', 'trailing-bytes', Y.encodeStateAsUpdateV2(doc))
}
{
  const { doc } = document(52)
  doc.getXmlFragment('prosemirror').insert(0, [new Y.XmlHook('hook')])
  refuse('hook', 'unknown-type', Y.encodeStateAsUpdate(doc))
}
{
  const { doc } = document(53)
  let type = doc.getArray('types')
  for (let i = 0; i < 66; i++) {
    type.insert(0, [new Y.Array()])
    type = type.get(0)
  }
  refuse('types too deep', 'nesting', Y.encodeStateAsUpdate(doc))
}
for (const [name, edit] of Object.entries({
  'any too deep': (doc, value) => doc.getArray('any').push([value]),
  'embed too deep': (doc, value) => doc.getText('text').insertEmbed(0, value),
  'format too deep': (doc, value) => doc.getText('text').insert(0, 'x', { mark: value })
})) {
  const { doc } = document(54)
  let value = []
  for (let i = 0; i < 64; i++) value = [value]
  edit(doc, value)
  refuse(name, 'nesting', Y.encodeStateAsUpdate(doc))
}
{
  const { doc } = document(56)
  doc.getMap('map').set('large', 2n ** 62n + 1n)
  refuse('an integer that the engine would round', 'bigint', Y.encodeStateAsUpdate(doc))
}
{
  const { doc } = document(55)
  doc.getText('text').insertEmbed(0, { half: '\ud83d' })
  refuse('half a character in an object', 'lone-surrogate', Y.encodeStateAsUpdate(doc))
}

writeFileSync(new URL('../golden/yjs-13.6.json', import.meta.url), JSON.stringify({ cases, refused }, null, 1) + '\n')
