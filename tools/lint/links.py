"""Links: each relative link in a Markdown file leads to a file, and to a heading if named."""

import re
from pathlib import Path

import tree

NAME = "links"
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")


def _blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _anchors(text: str) -> set[str]:
    """The names that the usual renderers give to headings."""
    names = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", _FENCE.sub(_blank, text), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        names.add(plain.replace(" ", "-"))
    return names


def _problem(path: Path, target: str) -> str | None:
    file_name, _, anchor = target.partition("#")
    other = path.parent / file_name if file_name else path
    if not other.exists():
        return f"{target}: no such file"
    if anchor and other.suffix == ".md" and anchor not in _anchors(tree.read(other)):
        return f"{target}: no such heading"
    return None


def check(root: Path) -> list[tree.Finding]:
    found = []
    for path in tree.files(root, ".md"):
        text = _CODE.sub(_blank, _FENCE.sub(_blank, tree.read(path)))
        for match in _LINK.finditer(text):
            target = match.group(1)
            if re.match(r"[a-z]+:", target) or target.startswith("/"):
                continue
            if problem := _problem(path, target):
                line = tree.line_of(text, match.start())
                found.append(tree.Finding(tree.relative(root, path), line, problem))
    return found
