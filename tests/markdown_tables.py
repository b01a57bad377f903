"""Tables of a page, as a Markdown reader sees them."""

from __future__ import annotations

from markdown_it import MarkdownIt


def tables(board: str) -> list[list[list[str]]]:
    """Every table as a Markdown reader sees it: rows of cells, the header first."""
    found: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(board)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append("".join(child.content for child in following.children))
    return found
