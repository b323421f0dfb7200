"""Takes out of a screen dump what is somebody's: handles, names, e-mail addresses, numbers and typed text.

What stays tells the screen: how it is built, and the app's own words. The same handle is the same `user_1` in the
whole dump, so that a screen is recognised afterwards as before. Better too much than too little is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from lxml import etree

from automation.screens.dump import SYSTEM_UI, normalise
from automation.screens.schema import App, library

HIDDEN = "•••"
Box = tuple[int, int, int, int]

#: Attributes that tell how the screen is built; every other one is a text.
BUILD = frozenset({
    "index", "resource-id", "class", "package", "bounds", "rotation", "drawing-order", "display-id", "checkable",
    "checked", "clickable", "enabled", "focusable", "focused", "scrollable", "long-clickable", "password", "selected",
    "visible-to-user", "NAF",
})  # fmt: skip
#: Windows that are no part of any app: keyboards suggest what is being typed, the system shows notifications.
NO_APP = (SYSTEM_UI, "*inputmethod*", "*keyboard*", "*.ime", "*honeyboard*")

MAIL = re.compile(r"[\w.+*•-]+@[\w*•-]+(?:\.[\w*•-]+)+")
AT_HANDLE = re.compile(r"(?<![\w@])@([\w.]{2,30})")
STRONG_HANDLE = re.compile(r"(?=[a-z0-9._]*[0-9._])(?=[a-z0-9._]*[a-z])[a-z0-9._]{3,30}")
LONE_WORD = re.compile(r"[a-z]{3,30}")
NUMBER = re.compile(r"\+?\d(?:[\d.,:/()\s\u00a0\u202f*•-]*\d)?")
COUNT = re.compile(
    r"[\d.,\s\u00a0\u202f]*\d[\d.,\s\u00a0\u202f]*(?:[kKmMbB]|万|億|亿|mln|mil|tys|mio)?\.?", re.IGNORECASE
)
#: Ids of nodes that hold names, in the apps that have readable ids.
NAME_IDS = re.compile(
    r"(?:user|full|nick|display|profile|account|primary|secondary|first|last)_?name|nickname|biograph|(?:^|_)bio(?:_|$)"
)
#: What stands before or behind a name.
BEFORE_NAME = re.compile(
    r"^(?P<said>continue as|log ?in as|logged in as|switch to|welcome back,|welcome,|hi,?|hello,?|not you,?|"
    r"profile picture of|photo of|"
    r"doorgaan als|inloggen als|overschakelen naar|hallo,?|profielfoto van|"
    r"continuer en tant que|se connecter en tant que|bonjour,?|photo de profil de|"
    r"weiter als|anmelden als|profilbild von|"
    r"continuar como|iniciar sesión como|hola,?|foto de perfil de|entrar como|olá,?)"
    r"\s+(?P<name>\S.*?)(?P<end>[?!.]?)$",
    re.IGNORECASE,
)
GREETING = re.compile(r"(?:welcome|hi|hello|hallo|bonjour|hola|olá)\b", re.IGNORECASE)
OWNED = re.compile(
    r"^(?P<name>\S.{0,60}?)(?P<end>['’]s\s(?:story|profile|photo|picture|avatar|account|video|post)\b.*)$",
    re.IGNORECASE,
)
PARTICLES = frozenset(
    {"de", "der", "den", "van", "von", "la", "le", "el", "di", "da", "dos", "du", "bin", "al", "y"}
)
LARGE = 300  #: pixels; a name is not as high, but the picture of a puzzle with a word as its description is
MANY = 5  #: rows with a picture each that are built alike: a list of people, not of choices


@dataclass(frozen=True)
class Patch:
    """A place on the screen that showed something, and what is written there instead."""

    box: Box
    text: str


def scrub(xml: str, secrets: Iterable[str] = (), personal: Iterable[str] = ()) -> tuple[str, list[Patch]]:
    """(the dump without what is somebody's, what to paint over). `personal`: handles, names and addresses known.

    Empty when the dump cannot be read: then nothing can be said about what is in it.
    """
    try:
        root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return "", []
    cleaner = _Cleaner(root, list(secrets), list(personal))
    cleaner.clean()
    return etree.tostring(root, encoding="unicode"), cleaner.patches


class _Cleaner:
    """Cleans one dump in place."""

    def __init__(self, root: Any, secrets: list[str], personal: list[str]) -> None:
        self.root, self.patches = root, list[Patch]()
        self._secrets = sorted((one for one in secrets if one), key=len, reverse=True)
        self._apps = library().apps
        self._words = words_of(self._apps)
        self._names: dict[str, str] = {}  #: what stood there -> what stands there now
        self._counts: dict[str, int] = {}
        for one in personal:
            self._learn(one, "mail" if "@" in one.strip("@") else "user" if _is_handle(one) else "name")

    def clean(self) -> None:
        """First learn who is on the screen, then take them out wherever they are."""
        self._drop_foreign_windows()
        nodes = [node for node in self.root.iter() if isinstance(node.tag, str)]
        own = {node: self._is_known(node) for node in nodes}
        people = {node for node in nodes if own[node] and self._learn_from(node)}
        near = {
            *self._companions(people),
            *self._names_before(nodes, people),
            *self._rows_of_people(nodes),
        }
        for node in nodes:
            self._clean_node(node, node in near or not own[node])

    def _drop_foreign_windows(self) -> None:
        for node in list(self.root):
            package = node.get("package", "") if isinstance(node.tag, str) else ""
            if any(fnmatchcase(package, one) for one in NO_APP):
                self.patches += [Patch(box, "") for one in node.iter() if _says(one) and (box := _box(one))]
                self.root.remove(node)

    def _is_known(self, node: Any) -> bool:
        """Whether the node is of an app that has screen files, or of Android; of others no word is kept."""
        package = node.get("package", "")
        return (
            not package
            or package == "android"
            or any(fnmatchcase(package, one) for one in packages_of(self._apps))
        )

    # Who is on the screen

    def _learn_from(self, node: Any) -> bool:
        """Note the handles, addresses and names that the node shows; True when it names somebody."""
        found = False
        for text in _texts(node):
            if self._is_the_apps(text):
                continue
            for mail in MAIL.findall(text):
                self._learn(mail, "mail")
            for handle in AT_HANDLE.findall(MAIL.sub("", text)):
                found = self._learn(handle, "user")
            first = text.split(",")[0].strip(" 🔒")
            if STRONG_HANDLE.fullmatch(first):
                found = self._learn(first, "user")
            elif NAME_IDS.search(_id(node)) and not _is_field(node) and len(text) <= 60:
                found = self._learn(text, "user" if LONE_WORD.fullmatch(text) else "name")
            else:
                found = self._learn_phrase(text) or found
        return found

    def _learn_phrase(self, text: str) -> bool:
        said = BEFORE_NAME.match(text) or OWNED.match(text)
        if said is None or self._is_the_apps(said["name"]):
            return False
        if GREETING.match(text) and said["name"][0].islower():
            return False  # "Hello there" greets nobody
        return self._learn(said["name"], "user" if LONE_WORD.fullmatch(said["name"]) else "name")

    def _learn(self, text: str, kind: str) -> bool:
        plain = text.strip()
        if len(plain.lstrip("@")) >= 2 and not self._is_the_apps(plain):
            for one in {plain, plain.lstrip("@")}:
                self._stand_in(one, kind)
        return True

    def _stand_in(self, text: str, kind: str) -> str:
        bare = text.lstrip("@")
        if bare not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[bare] = f"{kind}_{self._counts[kind]}"
        return self._names[bare]

    def _companions(self, people: set[Any]) -> Iterator[Any]:
        """What stands in the same box as a handle and looks like the name that goes with it; buttons do not."""
        for node in people:
            box = node.getparent()
            if box is not None and box is not self.root and len(box) <= MANY:
                yield from (one for one in box if one not in people and _may_be_name(one))

    def _names_before(self, nodes: list[Any], people: set[Any]) -> Iterator[Any]:
        """The text right before a handle, where it looks like a name: it mostly stands over it."""
        saying = [node for node in nodes if node.get("text")]
        for before, node in pairwise(saying):
            if node in people and before not in people and _looks_like_name(before.get("text")):
                yield before

    def _rows_of_people(self, nodes: list[Any]) -> Iterator[Any]:
        """The texts in lists of rows that are built alike and have a picture each."""
        for node in nodes:
            rows = [child for child in node if any(_class(one) == "ImageView" for one in child.iter())]
            if len(rows) >= MANY and len({_shape(row) for row in rows}) == 1:
                yield from (one for row in rows for one in row.iter() if not len(one))

    # Taking them out

    def _clean_node(self, node: Any, is_somebodys: bool) -> None:
        before = {name: text for name, text in node.attrib.items() if name not in BUILD and text}
        after = {name: self._clean_text(node, name, text, is_somebodys) for name, text in before.items()}
        if after == before:
            return
        for name, text in after.items():
            node.set(name, text)
        box = _box(node)
        if box and self._is_to_paint(
            node, box, [text for name, text in before.items() if after[name] != text]
        ):
            self.patches.append(Patch(box, next((text for text in after.values() if text), "")))

    def _is_to_paint(self, node: Any, box: Box, gone: list[str]) -> bool:
        """Boxes around others are not, for what they say stands in them again; nor large pictures on a mere guess."""
        if any(secret in text for secret in self._secrets for text in gone):
            return True
        is_guess = all(LONE_WORD.fullmatch(text) for text in gone)
        return not len(node) and not (is_guess and box[3] - box[1] > LARGE)

    def _clean_text(self, node: Any, name: str, text: str, is_somebodys: bool) -> str:
        if text in ("true", "false"):
            return text
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if self._is_the_apps(text):
            return text
        if _is_field(node) and name == "text" and text != node.get("hint"):
            return HIDDEN  # somebody typed it
        text = self._without_names(text)
        if is_somebodys and not _is_stand_in(text) and re.search(r"[^\W\d_]", text) and HIDDEN not in text:
            return self._stand_in(text, "user" if LONE_WORD.fullmatch(text) else "name")
        if COUNT.fullmatch(text):
            return re.sub(r"\d", "0", text)
        return NUMBER.sub(_zeros, text)

    def _without_names(self, text: str) -> str:
        whole = self._names.get(text.strip().lstrip("@"))
        if whole:
            return f"@{whole}" if text.strip().startswith("@") else whole
        for one in sorted(self._names, key=len, reverse=True):
            if len(one) >= 3 and one in text:
                text = re.sub(rf"(?<![\w]){re.escape(one)}(?![\w])", self._names[one], text)
        text = MAIL.sub(lambda found: self._stand_in(found[0], "mail"), text)
        if LONE_WORD.fullmatch(text) or STRONG_HANDLE.fullmatch(text):
            return text if _is_stand_in(text) else self._stand_in(text, "user")
        return text

    def _is_the_apps(self, text: str) -> bool:
        return normalise(text) in self._words


def words_of(apps: dict[str, App]) -> frozenset[str]:
    """Every phrase of every screen file, normalised: the apps' own words."""
    tables = (table for app in apps.values() for table in app.words.values())
    return frozenset(phrase for table in tables for phrases in table.values() for phrase in phrases) | LABELS


#: Words in small letters that stand alone in the apps, and are no handles.
LABELS = frozenset({
    "posts", "followers", "following", "likes", "hearts", "friends", "videos", "and", "or", "more", "see", "all",
    "new", "publications", "abonnés", "suivis", "suivi", "berichten", "volgers", "volgend", "vrienden",
})  # fmt: skip


def packages_of(apps: dict[str, App]) -> list[str]:
    """Every package that a screen file speaks of, as globs; clones of an app begin as it does."""
    named = [package for app in apps.values() for package in app.packages]
    of_android = [glob for app in apps.values() for screen in app.screens for glob in screen.packages]
    return [*(f"{package}*" for package in named), *of_android]


def _zeros(found: re.Match[str]) -> str:
    """A short number is part of a sentence ("6-digit"); a longer one is somebody's."""
    digits = sum(one.isdigit() for one in found[0])
    return re.sub(r"\d", "0", found[0]) if digits >= 3 else found[0]


def _may_be_name(node: Any) -> bool:
    said = node.get("text") or node.get("content-desc") or ""
    return (
        not len(node)
        and node.get("clickable") != "true"
        and _class(node) != "Button"
        and _looks_like_name(said)
    )


def _looks_like_name(text: str) -> bool:
    """A few words, none of which begins with a small letter but "de", "van" and the like; no sentence."""
    words = [word for word in text.split() if word not in PARTICLES]
    return (
        0 < len(words) <= 4
        and not text.endswith((".", "?", "!", ":"))
        and not any(w[0].islower() for w in words)
    )


def _is_handle(text: str) -> bool:
    return bool(re.fullmatch(r"@?[\w.]{2,30}", text))


def _is_stand_in(text: str) -> bool:
    return bool(re.fullmatch(r"@?(?:user|name|mail)_\d+", text))


def _texts(node: Any) -> Iterator[str]:
    for name, text in node.attrib.items():
        if name not in BUILD and text.strip() and text not in ("true", "false"):
            yield text.strip()


def _says(node: Any) -> bool:
    """Whether a node of the system shows something; its buttons for back and home do not."""
    return bool(node.get("text") or node.get("content-desc")) and node.get("clickable") != "true"


def _id(node: Any) -> str:
    return str(node.get("resource-id", "")).rpartition("/")[2]


def _class(node: Any) -> str:
    return str(node.get("class", "")).rpartition(".")[2]


def _is_field(node: Any) -> bool:
    return _class(node).endswith(("EditText", "AutoCompleteTextView")) or node.get("password") == "true"


def _shape(node: Any) -> tuple[Any, ...]:
    return (_class(node), _id(node), *(_shape(child) for child in node))


def _box(node: Any) -> Box | None:
    numbers = [int(number) for number in re.findall(r"-?\d+", node.get("bounds", ""))]
    if len(numbers) != 4 or numbers[2] <= numbers[0] or numbers[3] <= numbers[1]:
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]
