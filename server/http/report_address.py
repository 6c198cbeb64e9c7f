"""What is wrong with the address of a report, told with the way to the report without it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import cast
from urllib.parse import urlencode

from aiohttp import web

from agent_ui.render import Locale, sentence
from server.domain.errors import InvalidInput
from server.http.errors import wants_page
from server.http.views import locale_of, render

# What the address of any page may say besides.
OF_ANY_PAGE = frozenset({"lang", "theme", "done"})
# What means something only together with the choice of one's own days.
_OWN_DAYS = {"period": ("from", "to"), "compare": ("cfrom", "cto")}
_SHOWN_CHARS = 100


@dataclass(frozen=True, slots=True)
class Wrong:
    """A parameter that an address should not have, or not so.

    ``why`` is name (no report has it), choice (with what it ``can_be``), span (a whole number, from
    the first to the last of ``can_be``), date, order, long, metric or nobody.
    """

    name: str
    value: str
    why: str
    can_be: tuple[str, ...] = ()

    def words(self, locale: Locale) -> str:
        """What is wrong, as a sentence."""
        return sentence(
            locale,
            f"reports.wrong.{self.why}",
            name=self.name[:_SHOWN_CHARS],
            value=self.value[:_SHOWN_CHARS],
            known=sentence(locale, "list.comma").join(self.can_be),
            least=self.can_be[0] if self.can_be else "",
            most=self.can_be[-1] if self.can_be else "",
        )


def refused(*wrong: Wrong) -> InvalidInput:
    """The refusal of an address; its details name the first parameter and hold all."""
    said = " ".join(one.words("en") for one in wrong)
    return InvalidInput(said, field=wrong[0].name, wrong=[_plain(one) for one in wrong])


def _plain(one: Wrong) -> dict[str, object]:
    return {"name": one.name, "value": one.value, "why": one.why, "can_be": list(one.can_be)}


def unknown_names(given: Mapping[str, str], known: Collection[str]) -> tuple[Wrong, ...]:
    """The parameters of an address that nothing looks at."""
    return tuple(
        Wrong(name, given[name], "name")
        for name in dict.fromkeys(given)
        if name not in known and name not in OF_ANY_PAGE
    )


def without(request: web.Request, names: Collection[str]) -> str:
    """The address of a request without some of its parameters; all others stay."""
    left = [(name, value) for name, value in request.query.items() if name not in names]
    there = {name for name, _ in left}
    pairs = [
        (name, value)
        for name, value in left
        if value != "custom" or there.intersection(_OWN_DAYS.get(name, there))
    ]
    return f"{request.path}?{urlencode(pairs)}" if pairs else request.path


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def told(handler: Handler) -> Handler:
    """The handler of a report, whose refusals of an address people read as a page.

    Where a file was asked for it is a plain text; programs get the one shape of an error.
    """

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except InvalidInput as error:
            found = error.details.get("wrong")
            if found is None or not wants_page(request):
                raise
            wrong = [_read(one) for one in cast(Sequence[Mapping[str, object]], found)]
        locale = await locale_of(request)
        if request.path.endswith(".csv"):
            lines = "\n".join(one.words(locale) for one in wrong)
            return web.Response(text=lines + "\n", status=400, content_type="text/plain")
        return await render(
            request,
            "report_wrong.html",
            status=400,
            nav="reports",
            wrong=[one.words(locale) for one in wrong],
            rest=without(request, {one.name for one in wrong}),
        )

    return handle


def _read(one: Mapping[str, object]) -> Wrong:
    can_be = cast(Sequence[str], one["can_be"])
    return Wrong(str(one["name"]), str(one["value"]), str(one["why"]), tuple(can_be))
