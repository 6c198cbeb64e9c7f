"""The one family of errors that people and programs see; only edges catch and translate it."""

from __future__ import annotations

from typing import ClassVar


class AppError(Exception):
    """A refusal with a stable code, an English sentence, and machine-readable details.

    ``message`` says what to do next and never carries personal data or internals.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def shape(self) -> dict[str, object]:
        """The error object of the contract: code, message, details."""
        return {"code": self.code, "message": self.message, "details": self.details}


class InvalidInput(AppError):
    """What was sent cannot be understood or is out of bounds; sending it again will not help."""

    code = "invalid_input"
    status = 400


class NotSignedIn(AppError):
    """Nobody is signed in, or the sign-in has ended."""

    code = "not_signed_in"
    status = 401


class NotAllowed(AppError):
    """The person is known but may not do this."""

    code = "not_allowed"
    status = 403


class NotFound(AppError):
    """There is no such thing, or it is hidden from this person; the two are not told apart."""

    code = "not_found"
    status = 404


class Conflict(AppError):
    """The thing changed meanwhile, or its state does not permit this."""

    code = "conflict"
    status = 409


class TooLarge(AppError):
    """More bytes than the limit in ``details``."""

    code = "too_large"
    status = 413


class TooMany(AppError):
    """Too fast; ``details["retry_after_s"]`` says when to try again."""

    code = "too_many"
    status = 429


class Unavailable(AppError):
    """The database or a part of the server is away or busy; the same request may be sent again."""

    code = "unavailable"
    status = 503
