"""The local page: read-only, bilingual, without a request to anybody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from edge.console.guard import Guard
from edge.console.language import choose
from edge.console.words import WORDS
from edge.errors import EsealError

Snapshot = Callable[[], Mapping[str, Any]]
Incidents = Callable[[], Sequence[Mapping[str, Any]]]

_FILES = {"page.js": "text/javascript", "names.js": "text/javascript", "page.css": "text/css"}

_SET_UP = frozenset({"province"})  # checks that ask only whether something is configured


def build_app(snapshot: Snapshot, incidents: Incidents) -> Starlette:
    """The page over what `edge.status.Status` gives; both are called in the event loop.

    `/` is the page, `/api/status` and `/api/incidents` the same as JSON, and `/healthz` says
    200 when every part works and 503 with the names of those that don't. It is asked by what could
    mend something here, so what was never set up is named and is no failure.
    """
    folder = resources.files("edge.console") / "page"
    template = Template((folder / "page.html").read_text("utf-8"))

    async def page(request: Request) -> Response:
        language = choose(
            request.query_params.get("lang", ""), request.headers.get("accept-language", "")
        )
        words = {name: escape(text) for name, text in WORDS[language].items()}
        html = template.substitute(words, lang=language)
        return HTMLResponse(html, headers={"Content-Language": language, "Vary": "Accept-Language"})

    async def status(_request: Request) -> Response:
        return JSONResponse(dict(snapshot()))

    async def told(_request: Request) -> Response:
        return JSONResponse({"incidents": list(incidents())})

    async def healthz(_request: Request) -> Response:
        seen = snapshot()
        amiss = [check["name"] for check in seen["checks"] if not check["works"]]
        failing = [name for name in amiss if name not in _SET_UP]
        missing = [name for name in amiss if name in _SET_UP]
        told = {"works": not failing, "failing": failing, "not_set_up": missing}
        return JSONResponse(told, 503 if failing else 200)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/status", status),
            Route("/api/incidents", told),
            Route("/healthz", healthz),
            *(Route(f"/{name}", _file(folder / name, kind)) for name, kind in _FILES.items()),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={EsealError: _unreadable},
    )


def _file(path: Any, media_type: str) -> Callable[[Request], Any]:
    content = path.read_bytes()

    async def serve(_request: Request) -> Response:
        return Response(content, media_type=media_type)

    return serve


async def _unreadable(_request: Request, error: Exception) -> Response:
    """The ledger cannot be read now; the page says so instead of breaking."""
    return JSONResponse({"works": False, "failing": ["storage"], "error": str(error)}, 503)
