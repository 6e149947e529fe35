"""Errors whose message tells an operator what is wrong and what to do; a stack would only hide it."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from crdt.errors import CrdtError
from rooms.faults import RecordsError
from server.config import ConfigError
from server.tokens import SecretError, TokenError

__all__ = ["EXPLAINED"]

EXPLAINED: Final = (
    ConfigError,
    SecretError,
    TokenError,
    CrdtError,
    RecordsError,
    OSError,
    SQLAlchemyError,
)
