"""Secrets that the program makes for itself and the hashing of what people hold."""

from __future__ import annotations

import hashlib
import secrets


def new_token(prefix: str) -> str:
    """A fresh 256-bit token, ``prefix`` telling what it is for."""
    return prefix + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored instead of a token: SHA-256, enough without salt because tokens are random."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
