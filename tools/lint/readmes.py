"""READMEs: a module has one of 1 to 40 lines; a folder below src/ is a module or holds some."""

from pathlib import Path

import modules
import tree

NAME = "readmes"
LINES_MAX = 40


def check(root: Path) -> list[tree.Finding]:
    found = []
    folders = {module.folder for module in modules.load(root)}
    for folder in sorted(folders):
        name = f"src/{folder}/README.md"
        text = tree.read(root / name).strip() if (root / name).exists() else ""
        count = len(text.splitlines())
        if count == 0:
            found.append(tree.Finding(name, 1, "missing or empty: what it is for, what it may not"))
        elif count > LINES_MAX:
            found.append(tree.Finding(name, count, f"{count} lines, at most {LINES_MAX}"))
    for path in sorted((root / "src").glob("**/")):
        name = tree.relative(root / "src", path)
        if name == "." or path.name in tree.SKIPPED_FOLDERS:
            continue
        inside = any(f"{name}/".startswith(f"{folder}/") for folder in folders)
        holds = any(f"{folder}/".startswith(f"{name}/") for folder in folders)
        if not inside and not holds:
            found.append(tree.Finding(f"src/{name}", 1, "neither a module nor a folder of modules"))
    return found
