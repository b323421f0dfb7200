"""The screen of a phone as a tree of nodes: built by the apps, dumped as uiautomator's XML, hit by taps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

WIDTH, HEIGHT = 1080, 2220
STATUS_BAR = 66
NAVIGATION_BAR = 2088  #: where the navigation bar begins, and the apps end

Box = tuple[int, int, int, int]
Action = Callable[[], None]

BULLET = "•"
SHORT = {
    "Frame": "android.widget.FrameLayout",
    "Linear": "android.widget.LinearLayout",
    "Text": "android.widget.TextView",
    "Image": "android.widget.ImageView",
    "Button": "android.widget.Button",
    "Edit": "android.widget.EditText",
    "Check": "android.widget.CheckBox",
    "Radio": "android.widget.RadioButton",
    "Progress": "android.widget.ProgressBar",
    "Scroll": "android.widget.ScrollView",
    "HScroll": "android.widget.HorizontalScrollView",
    "Web": "android.webkit.WebView",
    "Group": "android.view.ViewGroup",
    "View": "android.view.View",
    "Recycler": "androidx.recyclerview.widget.RecyclerView",
}


@dataclass(slots=True)
class Node:
    """One view. `action` is what a tap on it does; `entry` makes it a field that takes text."""

    kind: str
    box: Box = (0, 0, WIDTH, NAVIGATION_BAR)
    text: str = ""
    desc: str = ""
    id: str = ""
    package: str = ""
    hint: str = ""
    entry: str = ""
    action: Action | None = None
    look: str = ""  #: how it is drawn: primary, plain, title, small, avatar, dim, card, error, ...
    clickable: bool | None = None
    enabled: bool = True
    focused: bool = False
    selected: bool = False
    checked: bool = False
    password: bool = False
    scrollable: bool = False
    children: list[Node] = field(default_factory=list)

    @property
    def class_name(self) -> str:
        """The Java class."""
        return SHORT.get(self.kind, self.kind)

    @property
    def can_click(self) -> bool:
        """Whether the dump says that it is clickable."""
        return bool(self.action or self.entry) if self.clickable is None else self.clickable

    @property
    def can_check(self) -> bool:
        """Whether it is a box or a radio button."""
        return self.kind in ("Check", "Radio")

    def add(self, *nodes: Node) -> Node:
        """The node itself, with more children."""
        self.children.extend(nodes)
        return self

    def walk(self) -> Iterator[Node]:
        """The node and all below it, as a dump orders them."""
        yield self
        for child in self.children:
            yield from child.walk()


def stamp(root: Node, package: str) -> Node:
    """The tree with `package` on every node that has none, and on its ids; `=name` is an id without a package."""
    for node in root.walk():
        node.package = node.package or package
        if node.id.startswith("="):
            node.id = node.id[1:]
        elif node.id and ":" not in node.id:
            node.id = f"{node.package}:id/{node.id}"
    return root


def hit(node: Node, x: float, y: float) -> Node | None:
    """The node that a tap at this place acts on: the last drawn one that takes taps."""
    left, top, right, bottom = node.box
    if not (left <= x < right and top <= y < bottom):
        return None
    for child in reversed(node.children):
        found = hit(child, x, y)
        if found is not None:
            return found
    return node if node.can_click and node.enabled else None


ESCAPES = {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("'"): "&apos;",
    10: "&#10;",
}
ESCAPES.update({code: "." for code in range(32) if code != 10})


def attribute(text: str) -> str:
    """`text` as it stands in an XML attribute."""
    return text.translate(ESCAPES)


def bit(value: bool) -> str:
    """A truth value as XML has it."""
    return "true" if value else "false"


def node_xml(node: Node, index: int, depth: int, out: list[str]) -> None:
    """Append the XML of a tree, at most `depth` deep."""
    left, top, right, bottom = node.box
    out.append(
        f'<node index="{index}" text="{attribute(node.text)}" resource-id="{attribute(node.id)}"'
        f' class="{node.class_name}" package="{node.package}" content-desc="{attribute(node.desc)}"'
        f' checkable="{bit(node.can_check)}" checked="{bit(node.checked)}" clickable="{bit(node.can_click)}"'
        f' enabled="{bit(node.enabled)}" focusable="{bit(node.can_click)}" focused="{bit(node.focused)}"'
        f' scrollable="{bit(node.scrollable)}" long-clickable="false" password="{bit(node.password)}"'
        f' selected="{bit(node.selected)}" visible-to-user="true" bounds="[{left},{top}][{right},{bottom}]"'
        f' drawing-order="{index}" hint="{attribute(node.hint)}" display-id="0"'
    )
    if not node.children or depth <= 1:
        out.append("/>")
        return
    out.append(">")
    for number, child in enumerate(node.children):
        node_xml(child, number, depth - 1, out)
    out.append("</node>")


def dump(windows: list[Node], depth: int = 50) -> str:
    """All windows as uiautomator's XML."""
    out = ["<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\r\n<hierarchy rotation=\"0\">"]
    for index, window in enumerate(windows):
        node_xml(window, index, depth, out)
    out.append("</hierarchy>")
    return "".join(out)


class Page:
    """Stacks nodes from top to bottom, as a form does. Each method adds one node and gives it back."""

    def __init__(self, top: int = 180, left: int = 66, right: int = WIDTH - 66) -> None:
        self.y, self.left, self.right = top, left, right
        self.nodes: list[Node] = []

    def place(self, kind: str, height: int, gap: int = 24, **values: object) -> Node:
        """A node over the whole width."""
        node = Node(kind, (self.left, self.y, self.right, self.y + height), **values)  # type: ignore[arg-type]
        self.y += height + gap
        self.nodes.append(node)
        return node

    def skip(self, height: int) -> None:
        """Leave room."""
        self.y += height

    def text(self, text: str, look: str = "", height: int = 64, id: str = "") -> Node:  # noqa: A002
        """A line of text, or a few."""
        return self.place("Text", height, text=text, look=look, id=id)

    def title(self, text: str, id: str = "") -> Node:  # noqa: A002
        """A heading."""
        return self.text(text, "title", 84, id)
