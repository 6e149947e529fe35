import { html, type TemplateResult } from "lit";
import { type Block, type Inline, parse } from "./markdown.ts";

type Part = TemplateResult | string;

/** A post's text, drawn. `names` are those of the people it mentions. Nothing in it is read as HTML. */
export function drawWords(text: string, names: readonly string[] = []): TemplateResult[] {
  const pattern = mentionsOf(names);
  return parse(text).map((block) => drawBlock(block, pattern));
}

function drawBlock(block: Block, pattern: RegExp | null): TemplateResult {
  switch (block.kind) {
    case "paragraph":
      return html`<p>${drawInlines(block.children, pattern)}</p>`;
    case "quote":
      return html`<blockquote>${block.children.map((each) => drawBlock(each, pattern))}</blockquote>`;
    case "list": {
      const items = block.items.map((item) => html`<li>${drawInlines(item, pattern)}</li>`);
      return block.ordered ? html`<ol start=${block.start}>${items}</ol>` : html`<ul>${items}</ul>`;
    }
  }
}

const drawInlines = (children: readonly Inline[], pattern: RegExp | null): Part[] =>
  children.flatMap((each) => drawInline(each, pattern));

function drawInline(inline: Inline, pattern: RegExp | null): Part | Part[] {
  switch (inline.kind) {
    case "text":
      return pattern ? withMentions(inline.text, pattern) : inline.text;
    case "break":
      return html`<br />`;
    case "code":
      return html`<code>${inline.text}</code>`;
    case "strong":
      return html`<strong>${drawInlines(inline.children, pattern)}</strong>`;
    case "em":
      return html`<em>${drawInlines(inline.children, pattern)}</em>`;
    case "link": {
      const told = inline.text.toLowerCase().startsWith(inline.domain.toLowerCase());
      return html`<a href=${inline.href} target="_blank" rel="noopener noreferrer nofollow ugc">${inline.text}</a>${
        told ? "" : html` <span class="domain">(${inline.domain})</span>`
      }`;
    }
  }
}

function mentionsOf(names: readonly string[]): RegExp | null {
  const escaped = names
    .filter(Boolean)
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return escaped.length > 0
    ? new RegExp(`((?<![\\p{L}\\p{N}])@?(?:${escaped.join("|")})(?![\\p{L}\\p{N}]))`, "u")
    : null;
}

const withMentions = (text: string, pattern: RegExp): Part[] =>
  text
    .split(pattern)
    .map((part, at) => (at % 2 === 1 ? html`<strong class="mention">${part}</strong>` : part));
