"""Where a page says when it was published: JSON-LD, meta elements, ``<time>``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Said = tuple[str, str]
"""Where it is said, and the words."""

_MOST_NODES = 20_000
_ARTICLES = ("article", "blogposting", "report", "pressrelease")
_NAMES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished",
    "article:published", "pubdate", "publishdate", "publish-date", "publish_date",
    "publication_date", "publication-date", "date.issued", "dc.date.issued", "dcterms.issued",
    "dc.date.created", "dcterms.created", "dc.date", "dcterms.date", "sailthru.date",
    "parsely-pub-date", "cxenseparse:recs:publishtime", "citation_publication_date", "date",
)  # fmt: skip
_CHANGED = ("article:modified_time", "og:updated_time", "datemodified", "last-modified")
_LATER = ("modif", "updat", "aktualis", "geaendert", "geändert")


def publication(tree: Any) -> list[Said]:
    """All that a page says of its publication, the most reliable first."""
    found = [("json-ld datePublished", text) for text in _linked_data(tree, "datePublished")]
    metas = dict(_metas(tree))
    found += [(f"meta {name}", metas[name]) for name in _NAMES if name in metas]
    return [*found, *_times(tree)]


def modification(tree: Any) -> str:
    """When the page says that it was last changed; empty where it does not."""
    metas = dict(_metas(tree))
    said = [*_linked_data(tree, "dateModified"), *(metas[n] for n in _CHANGED if n in metas)]
    return said[0] if said else ""


def body_of_data(tree: Any) -> str:
    """The article's text as its JSON-LD has it; empty where it has none."""
    return next(_linked_data(tree, "articleBody"), "")


def _linked_data(tree: Any, name: str) -> Iterator[str]:
    """A property of the page's articles; related ones in lists are not meant."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text:
            continue
        text = script.text.strip().removeprefix("<!--").removesuffix("-->")
        try:
            nodes: list[Any] = [json.loads(text, strict=False)]
        except (ValueError, RecursionError):
            continue
        for _ in range(_MOST_NODES):
            if not nodes:
                break
            node = nodes.pop()
            if isinstance(node, list):
                nodes.extend(reversed(node[:_MOST_NODES]))
            elif isinstance(node, dict):
                if _is_article(node) and isinstance(node.get(name), str):
                    yield node[name]
                inner = (node.get(key) for key in ("mainEntity", "mainEntityOfPage", "@graph"))
                nodes.extend(value for value in inner if isinstance(value, dict | list))


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and kind.lower().endswith(_ARTICLES) for kind in names)


def _metas(tree: Any) -> Iterator[Said]:
    seen = set()
    for element in tree.iter("meta"):
        for key in ("property", "name", "itemprop"):
            name = (element.get(key) or "").strip().lower()
            text = (element.get("content") or "").strip()
            if name and text and name not in seen:
                seen.add(name)
                yield name, text


def _times(tree: Any) -> Iterator[Said]:
    """``<time>`` and other elements that carry the date of publication itself."""
    marked, plain = [], []
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag == "meta":
            continue
        labels = f"{element.get('itemprop') or ''} {element.get('class') or ''}".lower()
        if element.tag == "time" and "pubdate" in element.attrib:
            labels += " datepublished"
        if any(word in labels for word in _LATER):
            continue
        if "datepublished" in labels:
            marked.append(element)
        elif element.tag == "time":
            plain.append(element)
    in_article = [one for one in plain if next(one.iterancestors("article"), None) is not None]
    first = in_article[:1] or (plain if len(plain) == 1 else [])
    for element in (*marked[:3], *first):
        for text in (element.get("datetime"), element.get("content"), _text(element)):
            if text and text.strip():
                yield f"<{element.tag}>", text.strip()


def _text(element: Any) -> str:
    return "".join(element.itertext())
