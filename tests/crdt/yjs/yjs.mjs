// The one copy of Yjs that the tests judge by: the one the stock clients use (tests/interop/package.json).
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../interop/package.json', import.meta.url))
export const Y = require('yjs')

export const base64 = (bytes) => Buffer.from(bytes).toString('base64')
export const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'))

/** What a person would call the content of a document, as JSON: every root with anything in it. */
export const content = (doc) => {
  const roots = {}
  for (const name of [...doc.share.keys()].sort()) {
    const root = contentOf(doc.share.get(name))
    if (root.list.length || Object.keys(root.entries).length) roots[name] = root
  }
  return roots
}

/** Any type, whatever class its root was asked for as: list, then map entries. */
const contentOf = (type) => {
  const list = []
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const { content } = item
    if (content instanceof Y.ContentType) list.push(contentOf(content.type))
    else if (content instanceof Y.ContentFormat) list.push({ format: content.key, value: content.value })
    else if (content instanceof Y.ContentDoc) list.push({ doc: content.doc.guid })
    else if (content instanceof Y.ContentString) {
      const last = list[list.length - 1]
      if (typeof last === 'string') list[list.length - 1] = last + content.str
      else list.push(content.str)
    } else list.push(...content.getContent().map(plain))
  }
  const entries = {}
  for (const [key, item] of [...type._map].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (item.deleted) continue
    const value = item.content.getContent()[item.length - 1]
    entries[key] = item.content instanceof Y.ContentType ? contentOf(item.content.type) : plain(value)
  }
  return { ...(type.nodeName ? { name: type.nodeName } : {}), list, entries }
}

const plain = (value) => {
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (value === undefined) return { undefined: true }
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
  if (value instanceof Uint8Array) return { bytes: base64(value) }
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Y.Doc) return { doc: value.guid }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, plain(value[key])]))
  }
  return value
}
