import * as Y from "yjs";
import { placeAt } from "./place.ts";
import { wordsOf } from "./text.ts";

/**
 * A board in the shared document: columns and cards as direct children of the page. Reads whatever stands
 * there by the same rules as the server (crdt/board.py): nothing is left out or shown twice.
 */
export const COLORS = ["yellow", "green", "blue", "pink", "orange", "white"] as const;
export type Color = (typeof COLORS)[number];

export const LONGEST_CARD = 2000;
export const LONGEST_TITLE = 120;

export interface Card {
  /** Of the element in the shared document: "client:clock". */
  key: string;
  shared: Y.XmlElement;
  words: string;
  place: string;
  color: Color;
  /** Client id of its owner, "teachers" for anything else, "" if it is open to everybody. */
  by: string;
}

export interface Column {
  key: string;
  /** Null for the part without a title, before all columns. */
  shared: Y.XmlElement | null;
  /** What its cards name; "" where nothing can be put. */
  id: string;
  title: string;
  place: string;
  by: string;
  cards: Card[];
}

const ID = /^[a-z0-9]{8}$/;
const PLACE = /^[0-9A-Za-z]{1,1000}$/;
const LOOSE = "loose";

const matching = (value: unknown, pattern: RegExp): string =>
  typeof value === "string" && pattern.test(value) ? value : "";

export const keyOf = ({ _item: item }: Y.XmlElement): string =>
  item ? `${item.id.client}:${item.id.clock}` : "";

function ownerOf(shared: Y.XmlElement): string {
  const by: unknown = shared.getAttribute("protected");
  if (by === undefined) return "";
  return typeof by === "string" && /^(0|[1-9]\d{0,15})$/.test(by) ? by : "teachers";
}

function readCard(shared: Y.XmlElement): Card {
  const color = shared.getAttribute("color") as Color;
  return {
    key: keyOf(shared),
    shared,
    words: wordsOf(shared).trim(),
    place: matching(shared.getAttribute("place"), PLACE),
    color: COLORS.includes(color) ? color : "yellow",
    by: ownerOf(shared),
  };
}

function readColumn(shared: Y.XmlElement): Column {
  return {
    key: keyOf(shared),
    shared,
    id: matching(shared.getAttribute("id"), ID),
    title: wordsOf(shared).trim(),
    place: matching(shared.getAttribute("place"), PLACE),
    by: ownerOf(shared),
    cards: [],
  };
}

const byPlace = (a: { place: string }, b: { place: string }): number =>
  a.place < b.place ? -1 : a.place > b.place ? 1 : 0;

/** The columns in order with their cards in order; first the part without a title. */
export function arranged(page: Y.XmlFragment): Column[] {
  const elements = page.toArray().filter((child): child is Y.XmlElement => child instanceof Y.XmlElement);
  const columns = elements
    .filter(({ nodeName }) => nodeName === "column")
    .map(readColumn)
    .sort(byPlace);
  const cards = elements
    .filter(({ nodeName }) => nodeName === "card")
    .map(readCard)
    .sort(byPlace);
  const loose: Column = { key: LOOSE, shared: null, id: "", title: "", place: "", by: "", cards: [] };
  const known = new Map<string, Column>();
  for (const column of columns) {
    if (known.has(column.id)) column.id = "";
    else if (column.id) known.set(column.id, column);
  }
  for (const card of cards)
    (known.get(matching(card.shared.getAttribute("column"), ID)) ?? loose).cards.push(card);
  return [loose, ...columns];
}

/** Whether cards can be put there: not where an id is missing or somebody else's. */
export const takesCards = ({ id, shared }: Column): boolean => id !== "" || shared === null;

const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => (byte % 36).toString(36)).join("");
};

export function addColumn(page: Y.XmlFragment, title: string, by: string): void {
  const places = arranged(page)
    .filter(({ shared }) => shared)
    .map(({ place }) => place);
  const shared = new Y.XmlElement("column");
  shared.setAttribute("id", newId());
  shared.setAttribute("place", placeAt(places, places.length));
  if (by) shared.setAttribute("protected", by);
  shared.insert(0, [new Y.XmlText(title)]);
  page.push([shared]);
}

export function addCard(page: Y.XmlFragment, { id, cards }: Column, color: Color, by: string): Y.XmlElement {
  const places = cards.map(({ place }) => place);
  const shared = new Y.XmlElement("card");
  if (id) shared.setAttribute("column", id);
  shared.setAttribute("place", placeAt(places, places.length));
  shared.setAttribute("color", color);
  shared.setAttribute("protected", by);
  shared.insert(0, [new Y.XmlText()]);
  page.push([shared]);
  return shared;
}

export function remove(page: Y.XmlFragment, shared: Y.XmlElement): void {
  const at = page.toArray().indexOf(shared);
  if (at >= 0) page.delete(at, 1);
}

/** Puts a card at `index` among the others of a column. */
export function moveCard({ key, shared }: Card, column: Column, index: number): void {
  const places = column.cards.filter((each) => each.key !== key).map(({ place }) => place);
  const { id } = column;
  if ((shared.getAttribute("column") ?? "") !== id) {
    if (id) shared.setAttribute("column", id);
    else shared.removeAttribute("column");
  }
  shared.setAttribute("place", placeAt(places, index));
}

/** Puts a column at `index` among the others. */
export function moveColumn(columns: readonly Column[], { key, shared }: Column, index: number): void {
  const places = columns.filter((each) => each.shared && each.key !== key).map(({ place }) => place);
  shared?.setAttribute("place", placeAt(places, index));
}

/** The board as plain text. */
export const plain = (columns: readonly Column[]): string =>
  columns
    .flatMap(({ title, cards }) => [title, ...cards.map(({ words }) => words)])
    .filter(Boolean)
    .join("\n\n");
