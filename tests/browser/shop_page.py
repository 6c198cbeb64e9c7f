"""A page of a shop that embeds the widget: another origin, with a policy as strict as they come."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any  # Any: the base class's signature


class ShopPage:
    """Serves one page at ``url``; close() ends it."""

    def __init__(self, *, desk_url: str, site_key: str) -> None:
        """Embeds the widget of the desk at ``desk_url``."""
        socket_url = desk_url.replace("http://", "ws://")
        policy = (
            f"default-src 'none'; script-src {desk_url}; connect-src {desk_url} {socket_url};"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        )
        body = (
            '<!doctype html><html lang="en"><head><title>A shop</title></head><body>'
            f'<main><h1>A shop</h1></main><script src="{desk_url}/widget/loader.js"'
            f' data-site="{site_key}" async></script></body></html>'
        ).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the base class's name
                found = self.path.split("?")[0] == "/"
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(body if found else b"")

            def log_message(self, *_: Any) -> None:  # Any: the base class's signature
                """Keeps the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def page(self, path: str = "") -> str:
        """The address of the page."""
        return f"{self.url}/{path}"

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()
