"""Build hook: the README as a package index shows it, where relative links break."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE_LINK = re.compile(r"!?\[([^\]]*)\]\((?!https?:)([^)]*)\)")


def without_relative_links(text: str) -> str:
    """Replace relative links and images by their text and the path in the source."""
    return RELATIVE_LINK.sub(r"\1 (`\2` in the source)", text)


class ReadmeHook(MetadataHookInterface):
    """Fill in the field `readme`, which pyproject.toml declares as dynamic."""

    def update(self, metadata: dict) -> None:
        """Set the README of the metadata."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": without_relative_links(readme),
        }
