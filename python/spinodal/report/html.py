# SPDX-License-Identifier: BSD-3-Clause
"""Pieces of HTML; every text that comes in is escaped, pictures are embedded."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources

from spinodal.report.figures import Picture
from spinodal.report.tables import Row


def document(title: str, body: Iterable[str]) -> str:
    """Return a whole page: it loads nothing from anywhere."""
    style = resources.files("spinodal.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(name: str, title: str, *content: str) -> str:
    """Return a section with an anchor."""
    inner = "\n".join(part for part in content if part)
    return f'<section id="{escape(name)}">\n<h2>{escape(title)}</h2>\n{inner}\n</section>'


def paragraph(text: str, css: str = "") -> str:
    """Return a paragraph of plain text."""
    attribute = f' class="{escape(css)}"' if css else ""
    return f"<p{attribute}>{escape(text)}</p>"


def picture(item: Picture) -> str:
    """Return a figure with its picture inside the page."""
    data = base64.b64encode(item.svg.encode()).decode()
    css = ' class="wide"' if item.wide else ""
    return (
        f'<figure{css} id="{escape(item.name)}">\n'
        f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(item.alt)}">\n'
        f"<figcaption>{escape(item.caption)}</figcaption>\n</figure>"
    )


def pictures(items: Iterable[Picture]) -> str:
    """Return figures side by side where there is room."""
    inner = "\n".join(picture(item) for item in items)
    return f'<div class="pictures">\n{inner}\n</div>' if inner else ""


def tiles(items: Iterable[tuple[str, str]]) -> str:
    """Return the key numbers, each with what it is."""
    inner = "\n".join(f'<div class="tile"><b>{escape(v)}</b><span>{escape(k)}</span></div>' for k, v in items)
    return f'<div class="tiles">\n{inner}\n</div>'


def definitions(items: Mapping[str, str]) -> str:
    """Return names and values."""
    inner = "\n".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in items.items())
    return f"<dl>\n{inner}\n</dl>"


def details(summary: str, content: str, *, is_open: bool = False) -> str:
    """Return something that can be folded away."""
    state = " open" if is_open else ""
    return f"<details{state}>\n<summary>{escape(summary)}</summary>\n{content}\n</details>"


def code(text: str) -> str:
    """Return a block of code."""
    return f"<pre><code>{escape(text)}</code></pre>"


def numbers_table(caption: str, titles: Sequence[str], rows: Iterable[Row]) -> str:
    """Return the table of one lattice: a row for each temperature, doubtful ones marked with the reason."""
    found = list(rows)
    doubtful = any(row.doubt for row in found)
    names = ["T", *titles, *(["not to be trusted"] if doubtful else [])]
    last = ' class="flag"'
    head = "".join(
        f'<th scope="col"{last if doubtful and name == names[-1] else ""}>{escape(name)}</th>' for name in names
    )
    body = "\n".join(_row(row, doubtful) for row in found)
    return (
        f'<div class="scroll"><table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _row(row: Row, doubtful: bool) -> str:
    far = ' class="far"'
    cells = "".join(f"<td{far if cell.far else ''}>{escape(cell.text)}</td>" for cell in row.cells)
    if doubtful:
        cells += f'<td class="flag">{escape(row.doubt)}</td>'
    css = ' class="doubt"' if row.doubt else ""
    return f'<tr{css}><th scope="row">{escape(row.label)}</th>{cells}</tr>'


def plain_table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts, its first column the row's title."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(c)}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table class="left">\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )
