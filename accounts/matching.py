"""Who is signed in on a phone, held against the list of accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.choices import PACKAGES
from accounts.models import Account
from accounts.services import set_logged_in
from accounts.text import normal_username, username_problem
from devices.models import Device


class Kind(TextChoices):
    """What a match says of an account; what somebody should look at stands first."""

    NEW = "new", _("new")  #: on the phone, not in the list
    MOVED = "moved", _("moved")  #: in the list on another device
    MISSING = "missing", _("missing")  #: in the list signed in here, not on the phone
    KNOWN = "known", _("known")


@dataclass(frozen=True)
class Seen:
    """An account that is signed in on a phone."""

    app: str
    package: str  #: in which it was found
    username: str

    @property
    def key(self) -> tuple[str, str]:
        """By which the list knows it."""
        return self.app, self.username.lower()


@dataclass(frozen=True)
class Matched:
    """What a match says of one account."""

    kind: str  #: one of Kind
    app: str
    package: str
    username: str
    was: str = ""  #: of a moved one: the device that it was on


def seen_in(app: str, package: str, usernames: Iterable[str]) -> list[Seen]:
    """Each name in its one form; what is no username is left out."""
    names = [normal_username(str(name)) for name in usernames]
    return [Seen(app, package, name) for name in names if name and not username_problem(name)]


@transaction.atomic
def record_match(device: Device, seen: Iterable[Seen], whole: Collection[str]) -> list[Matched]:
    """Bring the list in step with who is signed in on a phone; returns what that says of each account.

    Those that the list knows are put on the phone and are signed in. One that the list has signed in here, and that
    was found in no package of its app, is signed out; but only for the apps in `whole`, of which everything was
    read. Those that the list does not know stay out of it: `add` puts them in. The same again changes nothing.
    """
    when = timezone.now()
    found: dict[tuple[str, str], list[Seen]] = {}
    for one in seen:
        found.setdefault(one.key, []).append(one)
    known = _known(found)
    missing = [a for a in _expected_on(device, whole) if _key(a) not in found]
    said = [_said(device, places, known.get(key)) for key, places in found.items()]
    said += [Matched(Kind.MISSING, a.app, package_of(a), a.username) for a in missing]
    places = {key: _place(found[key], account) for key, account in known.items()}
    _put([account for key, account in known.items()], device, places, when)
    set_logged_in(missing, False)
    return sorted(said, key=lambda one: (Kind.values.index(one.kind), one.app, one.username.lower()))


def add(device: Device, seen: Iterable[Seen], when: datetime) -> list[Account]:
    """Put into the list, on this phone and signed in, those that it does not know; returns them."""
    wanted = {one.key: one for one in seen}
    with transaction.atomic():
        known = _known(wanted)
        new = [
            Account(
                app=one.app, username=one.username, device=device, is_logged_in=True, last_matched_at=when,
                package_name=_own_package(one.app, one.package),
            )
            for key, one in wanted.items()
            if key not in known
        ]  # fmt: skip
        return Account.objects.bulk_create(new, ignore_conflicts=True)  # two clicks at once


def unknown(seen: Iterable[Seen]) -> list[Seen]:
    """Those that are not in the list now."""
    wanted = list(seen)
    names = {one.username for one in wanted}
    rows = Account.objects.named_any(names).values_list("app", "username") if names else []
    known = {(app, username.lower()) for app, username in rows}
    return [one for one in wanted if one.key not in known]


def _known(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Account]:
    """The accounts of the list with these keys, locked."""
    if not keys:
        return {}
    names = {name for _app, name in keys}
    rows = Account.objects.locked().select_related("device__host").named_any(names)
    return {_key(account): account for account in rows if _key(account) in keys}


def _key(account: Account) -> tuple[str, str]:
    return account.app, account.username.lower()


def _expected_on(device: Device, apps: Collection[str]) -> list[Account]:
    """The accounts that the list has signed in on this phone, of these apps."""
    return list(Account.objects.on_device(device).logged_in().filter(app__in=apps))


def _said(device: Device, places: list[Seen], account: Account | None) -> Matched:
    if account is None:
        return Matched(Kind.NEW, places[0].app, places[0].package, places[0].username)
    here = (account.app, _place(places, account).package, account.username)
    if account.device is None or account.device == device:
        return Matched(Kind.KNOWN, *here)
    return Matched(Kind.MOVED, *here, was=in_words(account.device))


def in_words(device: Device) -> str:
    """A device as people point at it."""
    name = device.label or device.serial
    return f"{name} ({device.host})" if device.host else name


def _place(places: list[Seen], account: Account) -> Seen:
    """Where it was found; of several packages its own, so that it does not go to and fro."""
    own = package_of(account)
    return next((one for one in places if one.package == own), places[0])


def _put(
    accounts: list[Account], device: Device, places: dict[tuple[str, str], Seen], when: datetime
) -> None:
    changed = []
    for account in accounts:
        package = _own_package(account.app, places[_key(account)].package)
        if (account.device_id, account.is_logged_in, account.package_name) != (device.pk, True, package):
            account.device, account.is_logged_in, account.package_name = device, True, package
            account.updated_at = when
            changed.append(account)
    columns = ["device", "is_logged_in", "package_name", "updated_at"]
    Account.objects.bulk_update(changed, columns, batch_size=500)
    Account.objects.filter(pk__in=[one.pk for one in accounts]).update(last_matched_at=when)


def package_of(account: Account) -> str:
    """The account's own package (a clone), or the usual one of its app."""
    return account.package_name or PACKAGES[account.app][0]


def _own_package(app: str, package: str) -> str:
    """As an account names it: empty for the usual one."""
    return "" if package in ("", PACKAGES[app][0]) else package
