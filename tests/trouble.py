"""Records what goes wrong in a page, where a person would only see that something is missing."""

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# The console repeats failed responses and sockets, which are recorded as failures, not as faults of the page.
_REPEATED = ("Failed to load resource", "WebSocket connection to")
# Runs before the page's own scripts, so that none of the first violations is missed (CSP 3, section 5.3).
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
    console.error(`${event.effectiveDirective} forbids ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`);
});
"""


@dataclass(frozen=True)
class Troubles:
    """What was recorded about a page.

    Attributes:
        faults: never acceptable: console errors and warnings, violations of the Content-Security-Policy, uncaught
            errors, requests to another host.
        failures: requests without a response, and responses of 400 and above; acceptable where a test provokes them.
    """

    faults: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def note_troubles(page: Page, url: str) -> Troubles:
    """Record, from now on, what goes wrong in a page that may contact only the host of `url`."""
    troubles = Troubles()
    own = (f"{url}/", f"ws{url.removeprefix('http')}/", "data:", "blob:")

    def note_message(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            is_repeated = message.text.startswith(_REPEATED)
            (troubles.failures if is_repeated else troubles.faults).append(message.text)

    def note_request(request: Request) -> None:
        if not request.url.startswith(own):
            troubles.faults.append(f"asked {request.url}")

    def note_failure(request: Request) -> None:
        # The page aborts requests whose responses it no longer needs.
        if request.failure != "net::ERR_ABORTED":
            troubles.failures.append(f"{request.failure} {request.url}")

    def note_response(response: Response) -> None:
        if response.status >= 400:
            troubles.failures.append(f"{response.status} {response.url}")

    page.add_init_script(_REPORT_VIOLATIONS)
    page.on("console", note_message)
    page.on("pageerror", lambda error: troubles.faults.append(str(error)))
    page.on("request", note_request)
    page.on("requestfailed", note_failure)
    page.on("response", note_response)
    page.on("websocket", lambda socket: None if socket.url.startswith(own) else troubles.faults.append(socket.url))
    return troubles
