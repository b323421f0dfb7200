"""The page Attention, and the orders that come from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services as accounts
from accounts.keyring import Unreadable
from accounts.where import address_of
from automation import solving
from automation.console.attention import Rights, attention_page
from automation.console.live import part
from automation.console.live import view as live_view
from automation.console.pages import may_view
from automation.models import Attention
from automation.solving import Done

SNOOZE = timedelta(hours=1)
TYPED = "password-"  #: how the names of the password fields begin
KEPT = ("reason", "show")  #: what of the address a button comes back to


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The list; a POST carries out what was chosen, for one row or for several."""
    _must_see(request)
    if request.method == "POST":
        return _order(request)
    context = {
        **admin.site.each_context(request),
        "title": _("Attention"),
        "live": live_part(request)[0],
        "here": _address(request),
    }
    return TemplateResponse(request, "console/attention.html", context)


def live_part(request: HttpRequest) -> tuple[SafeString, str]:
    url = reverse("console:attention_live") + _query(request)
    return part(request, "console/attention_part.html", attention_page(request), url)


def _must_see(request: HttpRequest) -> None:
    if not admin.site.has_permission(request) or not may_view(request, "automation", "run"):
        raise PermissionDenied


live = live_view(_must_see, live_part)  #: the part of it that changes


def _query(request: HttpRequest) -> str:
    wanted = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
    return f"?{urlencode(wanted)}" if wanted else ""


def _address(request: HttpRequest) -> str:
    return reverse("console:attention") + _query(request)


# Orders


def _order(request: HttpRequest) -> HttpResponse:
    """`one` is "verb:number" of a row's own button, `all` the verb for the ticked rows."""
    verb, _colon, pk = request.POST.get("one", "").partition(":")
    ticked = [pk] if pk else request.POST.getlist("row")
    verb = verb or request.POST.get("all", "")
    if verb not in VERBS:
        return HttpResponseRedirect(_address(request))
    if not VERBS[verb].is_allowed(Rights.of(request)):
        raise PermissionDenied
    rows = list(Attention.objects.open().filter(pk__in=[one for one in ticked if one.isdigit()]))
    if rows:
        VERBS[verb].carry_out(request, rows)
    else:
        messages.warning(request, _("Nothing was done: it was dealt with already, or nothing was chosen."))
    return HttpResponseRedirect(_address(request))


class Verb:
    """What a button does, and who may press it."""

    def __init__(
        self,
        is_allowed: Callable[[Rights], bool],
        carry_out: Callable[[HttpRequest, list[Attention]], None],
    ) -> None:
        self.is_allowed, self.carry_out = is_allowed, carry_out


def _go_on(request: HttpRequest, rows: list[Attention]) -> None:
    tell(request, solving.go_on(rows, request.user.get_username()))


def tell(request: HttpRequest, done: Done) -> None:
    """One message: what goes on, what stays and why."""
    made = len(done.runs)
    clauses = [ngettext("%(n)s run made", "%(n)s runs made", made) % {"n": made}]
    for count, text in (
        (len(done.rows) - made, _("%(n)s waiting already")),
        (done.same_password, _("%(n)s left: change the password first, the app has refused this one")),
        (done.disabled, _("%(n)s left: the account is disabled")),
    ):
        if count:
            clauses.append(text % {"n": count})
    (messages.success if done.rows else messages.warning)(request, "; ".join(clauses) + ".")


def _give_up(request: HttpRequest, rows: list[Attention]) -> None:
    count = len(solving.give_up(rows, request.user.get_username()).rows)
    text = ngettext(
        "%(n)s given up: its phone works again.", "%(n)s given up: their phones work again.", count
    )
    messages.success(request, text % {"n": count})


def _snooze(request: HttpRequest, rows: list[Attention]) -> None:
    count = len(solving.snooze(rows, timezone.now() + SNOOZE).rows)
    text = ngettext(
        "%(n)s put off for an hour: its phone works meanwhile.",
        "%(n)s put off for an hour: their phones work meanwhile.",
        count,
    )
    messages.success(request, text % {"n": count})


VERBS = {
    "go_on": Verb(lambda rights: rights.order, _go_on),
    "give_up": Verb(lambda rights: rights.change, _give_up),
    "snooze": Verb(lambda rights: rights.change, _snooze),
}


@never_cache
@require_POST
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    """New credentials for the rows whose field was filled in, and on with them."""
    _must_see(request)
    if not Rights.of(request).credentials:
        raise PermissionDenied
    filled = _typed(request)
    rows = Attention.objects.open().filter(pk__in=filled).exclude(account=None).select_related("account")
    changed = [row for row in rows if _set_credentials(row, filled[str(row.pk)])]
    if changed:
        tell(request, solving.go_on(changed, request.user.get_username()))
    else:
        messages.warning(request, _("Nothing was changed: that is what is stored already."))
    return HttpResponseRedirect(_address(request))


def _typed(request: HttpRequest) -> dict[str, str]:
    """Number of the row -> what was typed there; empty fields left out."""
    typed = {name.removeprefix(TYPED): request.POST[name] for name in request.POST if name.startswith(TYPED)}
    return {pk: str(text) for pk, text in typed.items() if pk.isdigit() and str(text).strip()}


def _set_credentials(row: Attention, text: str) -> bool:
    """Whether the account has other credentials now."""
    account: Any = row.account
    word, secret = accounts.split_password(account.app, text)
    return bool(accounts.set_credentials(account, word or None, secret or None))


@never_cache
@require_POST
def totp_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The 2FA code of now, as a fragment; written down before it is shown."""
    _must_see(request)
    if not Rights.of(request).codes:
        raise PermissionDenied
    row = get_object_or_404(Attention.objects.open().exclude(account=None).select_related("account"), pk=pk)
    account: Any = row.account
    try:
        code, seconds = accounts.show_totp_code(account, request.user.get_username(), address_of(request))
    except (accounts.NoSecret, Unreadable):
        code, seconds = _("The account has no 2FA secret that opens."), 10
    context = {"code": code, "seconds": seconds}
    return TemplateResponse(request, "console/totp_code.html", context, headers={"Cache-Control": "no-store"})
