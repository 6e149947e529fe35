"""Real servers that TwinSpace stands on, started on temporary folders: PostgreSQL and Valkey.

async with PostgreSQL() as postgres, Valkey() as valkey:
    url = await postgres.create_database("twinspace")
"""

from .postgres import PostgreSQL
from .process import BackingError, free_port
from .valkey import Valkey
from .valkeys import ValkeyCluster, ValkeySentinel

__all__ = ["BackingError", "PostgreSQL", "Valkey", "ValkeyCluster", "ValkeySentinel", "free_port"]
