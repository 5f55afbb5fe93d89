"""Draws docs/_static/floors.svg, the picture of the page on design.

    python docs/draw_floors.py

Names and sentences are those of the packages; a full circle says that some file of a
package imports a library. Colours can be read on light and on dark pages.
"""

import ast
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
# From the roof to the ground.
FLOORS = (
    "export",
    "displays",
    "estimators",
    "training",
    "persistence",
    "runtime",
    "nn",
    "data",
    "params",
    "distributed",
    "utils",
)
LIBRARIES = {"sklearn": "scikit-learn", "torch": "PyTorch", "skorch": "skorch"}
BLUE, GREY = "#3a6ea5", "#808890"
WALL, WIDTH, HEIGHT, ROOF = 36, 610, 34, 70


def libraries_of(package):
    """Return the names of all that the files of a package import."""
    names = set()
    for path in (ROOT / "skcae" / package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
    return names


def sentence_of(package):
    """Return the first sentence of what a package says of itself."""
    tree = ast.parse((ROOT / "skcae" / package / "__init__.py").read_text("utf-8"))
    return ast.get_docstring(tree).split("\n")[0].replace("`", "").rstrip(".")


def text(x, y, content, fill="#fff", **attributes):
    """Return text at a place."""
    styles = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in attributes.items())
    return f'<text x="{x}" y="{y}" fill="{fill}"{styles}>{escape(content)}</text>'


def floor(package, top):
    """Yield the parts of one floor."""
    yield (
        f'<rect x="{WALL}" y="{top}" width="{WIDTH}" height="{HEIGHT - 4}" '
        f'fill="{BLUE}"/>'
    )
    yield text(WALL + 12, top + 20, package, font_weight="bold")
    yield text(WALL + 112, top + 20, sentence_of(package))
    imported = libraries_of(package)
    for number, library in enumerate(LIBRARIES):
        fill = BLUE if library in imported else "none"
        x, y = column(number), top + 15
        yield f'<circle cx="{x}" cy="{y}" r="6" fill="{fill}" stroke="{GREY}"/>'


def column(number):
    """Return where the circles of a library are."""
    return WALL + WIDTH + 44 + 74 * number


def draw():
    """Return the picture."""
    bottom = ROOF + HEIGHT * len(FLOORS)
    middle = WALL + WIDTH // 2
    parts = [
        f'<path d="M{WALL} {ROOF - 6} L{middle} 8 L{WALL + WIDTH} {ROOF - 6} Z" '
        f'fill="{BLUE}"/>',
        text(middle, 52, "import skcae", text_anchor="middle", font_size=15),
        f'<path d="M18 {ROOF} V{bottom - 14}" stroke="{GREY}" stroke-width="2"/>',
        f'<path d="M12 {bottom - 16} h12 l-6 12 Z" fill="{GREY}"/>',
    ]
    for number, name in enumerate(LIBRARIES.values()):
        x = column(number)
        parts.append(text(x, ROOF - 12, name, GREY, text_anchor="middle"))
    for number, package in enumerate(FLOORS):
        parts += floor(package, ROOF + HEIGHT * number)
    size = f"0 0 {column(len(LIBRARIES)) - 30} {bottom}"
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img" '
        'font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">'
    )
    return "\n".join([start, *parts, "</svg>", ""])


if __name__ == "__main__":
    Path(ROOT / "docs/_static/floors.svg").write_text(draw(), "utf-8")
