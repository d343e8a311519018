"""What goes wrong in a page, written down as it happens: a person would only see that something is missing."""

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# The console repeats what a failed answer or socket was, and so tells of no fault of the page's own.
_REPEATED = ("Failed to load resource", "WebSocket connection to")
# Before the page's own scripts, so that none of its first violations is missed (CSP 3, section 5.3).
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
    console.error(`${event.effectiveDirective} forbids ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`);
});
"""


@dataclass(frozen=True)
class Troubles:
    """What was noted of a page.

    Attributes:
        faults: never to be: errors and warnings in the console, breaches of the Content-Security-Policy, uncaught
            errors, requests to another host.
        failures: requests without an answer, and answers of 400 and above: to be where a test brings them about.
    """

    faults: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def note_troubles(page: Page, url: str) -> Troubles:
    """Note, from now on, what goes wrong in a page that may ask the host of `url` alone."""
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
        # A page that needs an answer no more breaks its request off.
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
