"""What a page is answered with: its text, and the headers that say what it may do."""

from aiohttp import web

from argosy.ui import live_pages


def page(text: str, *, status: int = 200, live: bool = False, asks: bool = False) -> web.Response:
    """The answer with the page *text*. *live*: it listens to us; *asks*: it has a form that comes back to us."""
    headers = {"Content-Security-Policy": live_pages.content_security_policy(live=live, asks=asks)}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
