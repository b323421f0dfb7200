"""The operator's own screen files as one text: so they travel from the controller to its hosts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from automation.screens.schema import files_in

NOTHING = "none"  #: the digest of no files at all
MOST_BYTES = 512 * 1024  #: of all files together


class BadParcel(Exception):
    """It is not what a controller sends."""


@dataclass(frozen=True)
class Parcel:
    """File name -> text."""

    files: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A short hash of all of it."""
        if not self.files:
            return NOTHING
        return hashlib.sha256(json.dumps(self.files, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def of(cls, folder: Path | None) -> Parcel:
        """What lies in the folder, up to MOST_BYTES; what is no text is left out."""
        found: dict[str, str] = {}
        left = MOST_BYTES
        for path in files_in(folder) if folder else []:
            try:
                text = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            left -= len(text.encode())
            if left >= 0:
                found[path.name] = text
        return cls(found)

    def to_json(self) -> str:
        return json.dumps(self.files)

    @classmethod
    def from_json(cls, text: bytes) -> Parcel:
        """Raises BadParcel."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise BadParcel("it is no JSON") from error
        if not isinstance(found, dict) or not all(_is_file(name, body) for name, body in found.items()):
            raise BadParcel("it holds something else than screen files")
        return cls(found)

    def put(self, folder: Path) -> None:
        """Make the folder hold exactly these files; each is whole at any moment."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            fresh = folder / f".{name}.new"
            fresh.write_text(text, "utf-8")
            fresh.replace(folder / name)
        for path in files_in(folder):
            if path.name not in self.files:
                path.unlink()


def _is_file(name: object, body: object) -> bool:
    """A plain name: nothing is written outside the folder."""
    if not isinstance(name, str) or not isinstance(body, str):
        return False
    return Path(name).name == name and not name.startswith(".") and Path(name).suffix in (".yaml", ".yml")
