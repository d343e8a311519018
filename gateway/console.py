"""The texts that the command line prints: the gateway's addresses, and what a database contains or what was added."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from database.environment import DatabaseEnvironment
    from database.provision import DatabaseStatus, ProvisionReport

# The four REST paths with values that find rows in seeded data.
_EXAMPLE_PATHS = (
    "/transactions/90",
    "/transactions/90/card/Visa",
    "/transactions/90/country/US",
    "/transactions/90/amount/100.00/999.00",
)
_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


def build_welcome(host: str, port: int, data: str, ending: str) -> str:
    """Build the text for a gateway that serves: the addresses to open, where its data is and how to stop it."""
    name = "localhost" if host in _EVERY_ADDRESS else f"[{host}]" if ":" in host else host
    base = f"http://{name}:{port}"
    first, *others = (base + path for path in _EXAMPLE_PATHS)
    lines = [
        "",
        "The gateway answers.",
        "",
        f"  Explorer   {base}/",
        f"  GraphQL    {base}/graphql",
        f"  REST       {first}",
        *(f"             {url}" for url in others),
        f"  Reference  {base}/docs",
        f"  Data       {data}",
        "",
        ending,
    ]
    return "\n".join(lines)


def describe_data(environment: "DatabaseEnvironment", folder: Path | None = None) -> str:
    """Describe where the transactions are: the database and its server, and the folder of an embedded one."""
    place = f"database {environment.database} at {environment.address}"
    return f"{place}, kept in {folder.resolve()}" if folder else place


def build_report_text(report: "ProvisionReport") -> str:
    """Describe what `gateway provision` did, one line per subject; conflicts are reported as errors instead."""
    lines = [
        f"Collection: {'created' if report.created_collection else 'there already'}",
        f"Indexes created: {', '.join(report.created_indexes) or 'none'}",
        f"Indexes there already: {', '.join(report.kept_indexes) or 'none'}",
    ]
    if not report.keeps_history:
        lines.append(
            "Old documents: not kept, for this user may not ask for it; after a change or deletion, counts are slow"
        )
    if report.users:
        lines.append(f"Users: {', '.join(report.users)}")
    return "\n".join(lines)


def build_status(
    environment: "DatabaseEnvironment", status: "DatabaseStatus", folder: Path | None
) -> Mapping[str, Any]:
    """Build the status for JSON; sizes in bytes, null for what the user may not see."""
    fields = asdict(status)
    fields["indexes"] = None if status.indexes is None else {index.name: index.size for index in status.indexes}
    return {
        "server": environment.address,
        "database": environment.database,
        **fields,
        "data_folder": folder and str(folder.resolve()),
    }


def build_status_text(status: Mapping[str, Any]) -> str:
    """Build the status as text, one line per subject."""
    roles = ", ".join(status["roles"]) or "no roles"
    rows = {
        "Server": f"{status['server']}, MongoDB {status['version']}, {status['topology']}",
        "User": f"{status['user']} ({roles})" if status["user"] else "none: the server asks for no credentials",
        "Database": status["database"],
        "Documents": _describe_documents(status),
        "Indexes": _describe_indexes(status["indexes"]),
        "Missing": _describe_missing(status["missing_indexes"]),
        "Data folder": status["data_folder"] or "the server's own",
    }
    return "\n".join(f"{subject:<12} {text}" for subject, text in rows.items())


def describe_missing_indexes(names: Sequence[str]) -> str:
    """Describe in one line which indexes are missing and which command creates them."""
    return f"{', '.join(names)}: queries are slow without them; `gateway provision` creates them"


def _describe_documents(status: Mapping[str, Any]) -> str:
    if status["documents"] is None:
        return "the user may not count them"
    return (
        f"{status['documents']:,} ({_describe_size(status['data_size'])}; on disk"
        f" {_describe_size(status['storage_size'])}, indexes {_describe_size(status['index_size'])})"
    )


def _describe_indexes(indexes: Mapping[str, int | None] | None) -> str:
    if indexes is None:
        return "the user may not see them"
    return (
        ", ".join(name if size is None else f"{name} {_describe_size(size)}" for name, size in indexes.items())
        or "none"
    )


def _describe_missing(names: Sequence[str] | None) -> str:
    if names is None:
        return "the user may not see them"
    return describe_missing_indexes(names) if names else "none: every declared index is there"


def _describe_size(size: int | None) -> str:
    if size is None:
        return "unknown"
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - the step of the units
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
