"""GraphQL documents that requests name by an identifier: a manifest's, or those that callers have sent before.

gateway/operation.py reads the identifier from a request; the schema executes the document.
"""

import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import orjson

from database.errors import ConfigurationError, quote_value
from gateway.errors import InvalidGraphQLRequestError, PersistedQueryNotFoundError, UntrustedDocumentError
from gateway.pages import DOCUMENTS as PAGE_DOCUMENTS
from schema.schema import TransactionSchema

# Together they limit callers' documents to 5 MB in a worker's memory, and to 5 MB in the folder that workers share.
_MOST_REMEMBERED = 500
_MOST_BYTES = 10_000
_APOLLO_FORMAT = "apollo-persisted-query-manifest"
# The prefix of GraphQL over HTTP's persisted documents (appendix A); manifests and Apollo's clients omit it.
_PREFIX = "sha256:"
_HASH = re.compile("[0-9a-f]{64}")
# Texts that clients look for, as Apollo's protocol defines them.
_NOT_FOUND = "PersistedQueryNotFound"
_MISMATCH = "provided sha does not match query"


class Documents(Protocol):
    """Finds the text of a document."""

    def get_text(self, query: str | None, identifier: str | None) -> str:
        """Return the document that a request names by its text, its identifier or both; at least one is given.

        Raises:
            PersistedQueryNotFoundError: the identifier is unknown until a request sends it with its document.
            UntrustedDocumentError: the document is not one of those that are served.
            InvalidGraphQLRequestError: the identifier belongs to another document.
        """

    def remember(self, identifier: str, text: str) -> None:
        """Keep a valid document that `get_text` returned for an identifier."""


class RememberedDocuments:
    """Automatic persisted queries: once sent with its SHA-256, a document is found by that alone, until evicted."""

    def __init__(self, shared: Path | None = None) -> None:
        """Share documents with the other workers in the folder `shared`, which has a file for each."""
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._shared = shared
        if shared is not None:
            shared.mkdir(exist_ok=True)
            # Take over the documents of a worker that has ended, so that they are evicted in their turn.
            for file in shared.iterdir():
                self._read(file.name)

    def get_text(self, query: str | None, identifier: str | None) -> str:
        name = (identifier or "").removeprefix(_PREFIX)
        if query is None:
            text = self._texts.get(name) or self._read(name)
            if text is None:
                raise PersistedQueryNotFoundError(_NOT_FOUND)
            return text
        if identifier is not None and hashlib.sha256(query.encode()).hexdigest() != name:
            raise InvalidGraphQLRequestError(f"{_MISMATCH}; give the lower-case hexadecimal SHA-256 of its text.")
        return query

    def remember(self, identifier: str, text: str) -> None:
        content = text.encode()
        if len(content) > _MOST_BYTES:
            return
        name = identifier.removeprefix(_PREFIX)
        self._keep(name, text)
        if self._shared is not None and not (self._shared / name).exists():
            # Renamed, so that another worker never reads a part of it.
            new = self._shared / f"{os.getpid()}.new"
            with suppress(OSError):
                new.write_bytes(content)
                new.replace(self._shared / name)

    def _keep(self, name: str, text: str) -> None:
        self._texts[name] = text
        self._texts.move_to_end(name)
        if len(self._texts) > _MOST_REMEMBERED:
            oldest, _ = self._texts.popitem(last=False)
            if self._shared is not None:
                (self._shared / oldest).unlink(missing_ok=True)

    def _read(self, name: str) -> str | None:
        """Look for a document that another worker remembers."""
        if self._shared is None or not _HASH.fullmatch(name):
            return None
        try:
            content = (self._shared / name).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() != name:
            return None
        text = content.decode()
        self._keep(name, text)
        return text


class TrustedDocuments:
    """The documents of manifests, and no others, by their identifier, their SHA-256 or their exact text."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Trust the documents of `texts`, by their identifiers."""
        # Whatever identifiers the manifest has, clients may send the hash that the specification requires.
        hashes = {hashlib.sha256(text.encode()).hexdigest(): text for text in texts.values()}
        self._texts = hashes | {identifier.removeprefix(_PREFIX): text for identifier, text in texts.items()}
        self._known = frozenset(self._texts.values())

    def get_text(self, query: str | None, identifier: str | None) -> str:
        text = query if identifier is None else self._texts.get(identifier.removeprefix(_PREFIX))
        if text is None or text not in self._known:
            raise UntrustedDocumentError(
                "The gateway accepts only the documents of its manifest; this is not one of them."
            )
        if query not in {None, text}:
            raise InvalidGraphQLRequestError(f"{_MISMATCH}: the manifest has another document of that name.")
        return text

    def remember(self, identifier: str, text: str) -> None:
        """Do nothing: the manifest alone says what is trusted."""


def load_documents(manifest: Path | None, schema: TransactionSchema, shared: Path | None = None) -> Documents:
    """Load the documents of a manifest and of the explorer; without a manifest, remember those that callers send.

    Args:
        manifest: the file of the only documents that are served.
        schema: the schema for which they must be valid.
        shared: a folder through which all workers find what callers have sent to one of them.

    Raises:
        ConfigurationError: the manifest is not valid, or the schema or its limits refuse one of its documents.
    """
    if manifest is None:
        return RememberedDocuments(shared)
    texts = _load_manifest(manifest)
    if faults := [f"{name}: {fault}" for name, text in texts.items() for fault in schema.find_faults(text)]:
        raise _refuse(manifest, "has documents that cannot be answered:\n" + "\n".join(f"  {each}" for each in faults))
    # Not validated: if the limits refuse one of the explorer's documents, the explorer's request gets that error.
    own = _load_manifest(PAGE_DOCUMENTS) if PAGE_DOCUMENTS.exists() else {}
    return TrustedDocuments(own | texts)


def _load_manifest(path: Path) -> dict[str, str]:
    """Read the texts by their identifiers: `{identifier: text}` (graphql-codegen, Relay), or Apollo's manifest."""
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise _refuse(path, f"cannot be read ({error.strerror})") from error
    except orjson.JSONDecodeError as error:
        raise _refuse(path, f"is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise _refuse(path, "is not a JSON object; give documents by their hashes, or Apollo's manifest")
    texts = _read_apollo(path, content) if content.get("format") == _APOLLO_FORMAT else content
    if not texts:
        raise _refuse(path, "holds no document")
    for identifier, text in texts.items():
        if not isinstance(text, str):
            raise _refuse(path, f"has {quote_value(identifier)}, which is not a text; give a document by each hash")
    return texts


def _read_apollo(path: Path, content: dict[str, object]) -> dict[str, str]:
    operations = content.get("operations")
    if content.get("version") != 1 or not isinstance(operations, list):
        raise _refuse(path, f"is not an {_APOLLO_FORMAT} of version 1 with a list of operations")
    texts: dict[str, str] = {}
    for place, operation in enumerate(operations):
        match operation:
            case {"id": str(identifier), "body": str(body)} if texts.setdefault(identifier, body) == body:
                pass
            case _:
                raise _refuse(path, f"has operations[{place}], which needs an id of its own and a body, both texts")
    return texts


def _refuse(path: Path, fault: str) -> ConfigurationError:
    return ConfigurationError(f"The manifest of trusted documents (GATEWAY_TRUSTED_DOCUMENTS), {path}, {fault}")
