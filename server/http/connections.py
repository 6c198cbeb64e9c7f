"""What is refused before it is a request at all: answered in the one shape of an error, too."""

from __future__ import annotations

from aiohttp import web

from server.domain.errors import InvalidInput
from server.http.bodies import json_response
from server.http.middleware import COMMON_HEADERS, OTHER_POLICY


class Runner(web.AppRunner):
    """aiohttp's runner, whose connections answer what cannot be parsed as the program does.

    A header above 8 kB is the usual case: a browser that carries too many cookies of the domain.
    """

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        # It is made deep inside, with nothing to say which class it should be of.
        server.__class__ = _Server
        return server


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be parsed; logging stays the library's."""
        answer = super().handle_error(request, status, exc, message)
        if status != 400:
            return answer
        error = InvalidInput("The request cannot be understood: its head is broken or too long.")
        answer = json_response({"error": error.shape()}, status=status)
        answer.headers.update(COMMON_HEADERS | {"Content-Security-Policy": OTHER_POLICY})
        answer.force_close()
        return answer
