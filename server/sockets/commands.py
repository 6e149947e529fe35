"""Commands over the socket: what the REST routes of discussions do, without leaving the live connection.

A client sends ``{"type": "command", "key": ..., "do": ..., ...}`` as a stateless message on a document of
a space; ``key`` names the command, and for a post makes sure that it is posted once. The answer on the same
line is ``{"type": "answer", "key": ..., "ok": true, "result": ...}``, or ``"ok": false`` with ``code``,
``message`` and ``details``. Fields and rights are those of the REST routes (server/api/threads.py).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from rooms.rights.access import Principal
from rooms.services import Services
from rooms.talk.threads import PostView, ThreadView
from rooms.values import PersonId, PostId, ThreadId
from server.api.errors import ApiError, invalid, to_api_error
from server.api.fields import Id, Line, Time
from server.api.routing import Input, Output
from server.api.threads import Body, Key, Mark, NewPost, Post, Reason, Thread, post_in

__all__ = ["COMMANDS", "MOST_BYTES", "Commands"]

MOST_BYTES: Final = 32 * 1024
"""Of one command."""

logger = logging.getLogger(__name__)


class _OnThread(Input):
    thread_id: Id


class _OnPost(Input):
    post_id: Id


class _NewPost(NewPost):
    thread_id: Id


class _Edit(_OnPost):
    body: Body


class _React(_OnPost):
    mark: Mark


class _Vote(_OnPost):
    option: int


class _Because(_OnPost):
    because: Reason | None = None


class _Lock(_OnThread):
    reason: Line
    until: Time | None = None


Run = Callable[[Services, PersonId, Any], Awaitable[Any]]


COMMANDS: Final[Mapping[str, tuple[type[Input], type[Output] | None, Run]]] = {
    "post": (_NewPost, Post, lambda s, who, sent: post_in(s, who, ThreadId(sent.thread_id), sent)),
    "edit": (_Edit, Post, lambda s, who, sent: s.discussions.edit(who, PostId(sent.post_id), sent.body)),
    "react": (_React, None, lambda s, who, sent: _react(s, who, sent, on=True)),
    "unreact": (_React, None, lambda s, who, sent: _react(s, who, sent, on=False)),
    "vote": (_Vote, None, lambda s, who, sent: s.discussions.vote(who, PostId(sent.post_id), sent.option)),
    "close-poll": (_OnPost, None, lambda s, who, sent: s.discussions.close_poll(who, PostId(sent.post_id))),
    "raise-hand": (_OnThread, None, lambda s, who, sent: _hand(s, who, sent, up=True)),
    "lower-hand": (_OnThread, None, lambda s, who, sent: _hand(s, who, sent, up=False)),
    "approve": (_Because, Post, lambda s, who, sent: _decide(s, who, sent, approve=True)),
    "reject": (_Because, Post, lambda s, who, sent: _decide(s, who, sent, approve=False)),
    "hide": (_Because, Post, lambda s, who, sent: s.moderation.hide(who, PostId(sent.post_id), sent.because)),
    "restore": (_OnPost, Post, lambda s, who, sent: s.moderation.restore(who, PostId(sent.post_id))),
    "pin": (_OnThread, Thread, lambda s, who, sent: _pin(s, who, sent, pinned=True)),
    "unpin": (_OnThread, Thread, lambda s, who, sent: _pin(s, who, sent, pinned=False)),
    "lock": (_Lock, Thread, lambda s, who, sent: _lock(s, who, sent)),
    "unlock": (_OnThread, Thread, lambda s, who, sent: s.discussions.unlock(who, ThreadId(sent.thread_id))),
}
"""By what ``do`` says: the fields it takes, what its result is, and what runs."""


async def _react(services: Services, who: PersonId, sent: _React, *, on: bool) -> None:
    await services.discussions.react(who, PostId(sent.post_id), sent.mark, on=on)


async def _hand(services: Services, who: PersonId, sent: _OnThread, *, up: bool) -> None:
    await services.discussions.raise_hand(who, ThreadId(sent.thread_id), up=up)


async def _decide(services: Services, who: PersonId, sent: _Because, *, approve: bool) -> PostView:
    return await services.moderation.decide(who, PostId(sent.post_id), approve=approve, because=sent.because)


async def _pin(services: Services, who: PersonId, sent: _OnThread, *, pinned: bool) -> ThreadView:
    return await services.discussions.change(who, ThreadId(sent.thread_id), pinned=pinned)


async def _lock(services: Services, who: PersonId, sent: _Lock) -> ThreadView:
    return await services.discussions.lock(who, ThreadId(sent.thread_id), sent.reason, sent.until)


class _Envelope(Input):
    key: Key


class Commands:
    """Runs the commands of members. What is no command at all gets no answer, as the protocol wants."""

    def __init__(self, services: Services, spend: Callable[[str], None]) -> None:
        """``spend`` takes one request from a log-in's budget. Raises ApiError 429."""
        self._services = services
        self._spend = spend

    @staticmethod
    def read(payload: str) -> dict[str, Any] | None:
        """A command, or None for a stateless message of any other kind."""
        if len(payload) > MOST_BYTES:
            return None
        try:
            sent = from_json(payload, allow_inf_nan=False)
        except ValueError:
            return None
        return sent if isinstance(sent, dict) and sent.get("type") == "command" else None

    @staticmethod
    def too_many(sent: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a command that is not run because too many wait already."""
        key = sent.get("key")
        error = ApiError(429, "too-many-requests", "That was too much at once. Please wait a moment.")
        return _refusal({"type": "answer", "key": key if isinstance(key, str) else None}, error)

    async def run(self, principal: Principal, sent: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a command. Never raises."""
        rest = {name: value for name, value in sent.items() if name not in ("type", "do", "key")}
        key = sent.get("key")
        answer: dict[str, Any] = {"type": "answer", "key": key if isinstance(key, str) else None}
        try:
            _Envelope.model_validate({"key": key})
            self._spend(principal.session_id or principal.subject)
            do = sent.get("do")
            if not isinstance(do, str) or do not in COMMANDS:
                raise ApiError(404, "no-such-command", "This server knows no such command.")
            takes, gives, run = COMMANDS[do]
            if takes is _NewPost:
                rest["key"] = key
            value = await run(self._services, PersonId(principal.person or ""), takes.model_validate(rest))
            result = None if gives is None else gives.model_validate(value).model_dump(mode="json")
            return {**answer, "ok": True, "result": result}
        except Exception as error:
            refused = invalid(error, "command") if isinstance(error, ValidationError) else to_api_error(error)
            if refused is None:
                logger.exception("a command failed")
                refused = ApiError(500, "internal", "Something went wrong here. Please try again.")
            return _refusal(answer, refused)


def _refusal(answer: Mapping[str, Any], error: ApiError) -> dict[str, Any]:
    said = {"code": error.code, "message": error.message, "details": error.details}
    return {**answer, "ok": False, **said}
