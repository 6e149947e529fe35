"""Servers that nobody here wrote, to be measured in the same run as ours. Each is installed on first use."""

from .hocuspocus import Hocuspocus

__all__ = ["Hocuspocus"]
