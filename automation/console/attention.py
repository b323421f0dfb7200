"""What the page Attention shows: who needs a person, grouped by reason, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.choices import attention_label
from automation.attention import OF_THE_SCREEN
from automation.console.looks import script_label
from automation.console.pages import may_view
from automation.console.reasons import advice, sentence
from automation.models import Attention, Evidence
from automation.solving import OF_THE_CREDENTIALS, OF_THE_PASSWORD, needs_other_password
from devices.admin.kit import when
from devices.choices import Hold
from devices.models import Device

SHOWN = 100  #: rows on the page


@dataclass(frozen=True)
class Rights:
    """What this user may do here."""

    order: bool  #: ask for a new run
    change: bool  #: give up, put off
    credentials: bool  #: change a password
    codes: bool  #: see 2FA codes
    evidence: bool
    accounts: bool
    devices: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Rights:
        has = request.user.has_perm
        return cls(
            order=has("automation.add_run"),
            change=has("automation.change_run"),
            credentials=has("accounts.change_account") and has("automation.add_run"),
            codes=has("accounts.view_totp_code"),
            evidence=has("automation.view_evidence"),
            accounts=may_view(request, "accounts", "account"),
            devices=may_view(request, "devices", "device"),
        )


@dataclass(frozen=True)
class Card:
    """One row: what it is, where it is, and what may be done."""

    row: Attention
    script: str
    since: str
    place: str
    kept: str  #: until when the phone is kept; empty when it works again
    picture: bool
    may_go_on: bool
    asks_password: bool
    asks_secret: bool  #: it is about the 2FA secret, so the field takes password:secret
    has_code: bool


@dataclass
class Group:
    """All rows of one reason."""

    reason: str
    label: str
    sentence: str
    advice: str
    total: int
    is_screen: bool
    cards: list[Card] = field(default_factory=list)

    @property
    def more(self) -> int:
        return self.total - len(self.cards)


def attention_page(request: HttpRequest) -> dict[str, Any]:
    """The context of the live part; as many queries for a hundred rows as for one."""
    now, rights = timezone.now(), Rights.of(request)
    reason, is_put_off = request.GET.get("reason", ""), request.GET.get("show") == "put_off"
    counts = dict(Attention.objects.waiting(now).values_list("reason").annotate(n=Count("pk")).order_by())
    put_off = Attention.objects.put_off(now).count()
    rows = Attention.objects.put_off(now) if is_put_off else Attention.objects.waiting(now)
    chosen = rows.filter(reason=reason) if reason else rows
    return {
        "groups": groups(_with_all(chosen), {} if is_put_off else counts, rights, now),
        "chips": [(one, attention_label(one), count) for one, count in sorted(counts.items())],
        "total": sum(counts.values()),
        "put_off": put_off,
        "reason": reason,
        "is_put_off": is_put_off,
        "rights": rights,
    }


def _with_all(rows: Any) -> Iterable[Attention]:
    """The newest, with what a card shows of them."""
    pictures = Evidence.objects.filter(run=OuterRef("run_id")).exclude(screenshot=b"")
    found = rows.select_related("run", "account", "device__host").defer("run__result", "run__options")
    annotated: Iterable[Attention] = found.annotate(has_picture=Exists(pictures))[:SHOWN]
    return annotated


def groups(rows: Iterable[Attention], counts: dict[str, int], rights: Rights, now: datetime) -> list[Group]:
    """By reason, the reason with the newest row first; without a count a group is as large as what is shown."""
    shown = list(rows)
    newest = list(dict.fromkeys(row.reason for row in shown))
    found = []
    for reason, same in groupby(
        sorted(shown, key=lambda row: newest.index(row.reason)), lambda row: row.reason
    ):
        cards = [_card(row, rights, now) for row in same]
        group = Group(
            reason, attention_label(reason), sentence(reason), advice(reason), counts.get(reason, len(cards)),
            reason in OF_THE_SCREEN, cards,
        )  # fmt: skip
        found.append(group)
    return found


def _card(row: Any, rights: Rights, now: datetime) -> Card:
    account, refused = row.account, needs_other_password(row)
    return Card(
        row=row,
        script=script_label(row.run.script),
        since=when(row.since),
        place=place(row.device),
        kept=_kept(row.device, now),
        picture=rights.evidence and row.has_picture,
        may_go_on=rights.order and not refused and (account is None or account.is_enabled),
        asks_password=rights.credentials and account is not None and row.reason in OF_THE_CREDENTIALS,
        asks_secret=row.reason in OF_THE_CREDENTIALS - OF_THE_PASSWORD,
        has_code=rights.codes and account is not None and bool(account.totp_secret),
    )


def place(device: Device | None) -> str:
    """Host, hub and port; for a phone over TCP its address."""
    if device is None:
        return ""
    host = str(device.host or _("no host"))
    if not device.hub:
        return " · ".join(filter(None, (host, device.address)))
    return f"{host} · {_('hub')} {device.hub} · {_('port')} {device.port}"


def _kept(device: Device | None, now: datetime) -> str:
    if device is None or device.hold != Hold.PERSON:
        return ""
    if device.hold_until is None:
        return _("kept for a person")
    return _("kept until %(time)s") % {"time": when(device.hold_until)} if device.hold_until > now else ""


def waiting() -> int:
    """How many need a person now."""
    return Attention.objects.waiting(timezone.now()).count()
