"""What every answer tells the browser: no third party, no script of a page, no copy, no referrer."""

from aiohttp import web

from matcher.web.keys import HOUSE

#: Nothing is allowed but what comes from us; no inline script or style.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
#: Which server and version runs is nobody's business.
SERVER = "trait-union"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"

_ALWAYS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": SERVER,
}


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal of aiohttp: runs for every answer, errors and static files included."""
    path = request.path
    response.headers.update(_ALWAYS)
    # A page may say something stricter or, for the demo's mails in a sandbox, something else.
    response.headers.setdefault(
        "Content-Security-Policy", API_POLICY if path.startswith("/api/") else PAGE_POLICY
    )
    # Our own style sheets hold nothing of anybody; they are asked for again, but not sent again.
    response.headers["Cache-Control"] = "no-cache" if path.startswith("/static/") else "no-store"
    if request.app[HOUSE].public_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
