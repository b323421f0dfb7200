"""The page of the second factor: set up once by a QR code, asked for at each sign-in."""

from __future__ import annotations

from typing import Any

import django_otp
import segno
from django import forms
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import audit
from accounts.audit import Who
from accounts.choices import AuditAction
from config.models import SecondFactor
from config.stopped import stop

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "maxlength": 12}


class CodeForm(forms.Form):
    """The six digits that the authenticator app shows."""

    code = forms.CharField(
        label=gettext_lazy("Code of your authenticator app"),
        widget=UnfoldAdminTextInputWidget(attrs=CODE),
    )

    def __init__(self, factor: SecondFactor, data: Any = None) -> None:
        super().__init__(data)
        self.factor = factor

    def clean_code(self) -> str:
        allowed, _why = self.factor.verify_is_allowed()
        if not allowed:
            raise forms.ValidationError(_("Too many wrong codes: wait a little before the next one."))
        if not self.factor.verify_token(self.cleaned_data["code"]):
            raise forms.ValidationError(_("That is not the code of now, or it was used already."))
        return str(self.cleaned_data["code"])


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Asks for the code; whoever has none set up yet is shown the QR code first."""
    user: Any = request.user
    if user.is_verified():
        return redirect(_wanted(request))
    factor = SecondFactor.objects.filter(user=user, confirmed=True).first()
    is_new = factor is None
    factor = factor or SecondFactor.begun_for(user)
    form = CodeForm(factor, request.POST or None)
    if form.is_valid():
        if is_new:
            _confirm(request, factor)
        django_otp.login(request, factor)
        return redirect(_wanted(request))
    context = {
        **admin.site.each_context(request), "title": _("Second factor"), "form": form,
        "qr": _qr(factor) if is_new else "", "secret": _in_fours(factor) if is_new else "",
    }  # fmt: skip
    return TemplateResponse(request, "signin/second_factor.html", context)


@transaction.atomic
def _confirm(request: HttpRequest, factor: SecondFactor) -> None:
    audit.note(AuditAction.FACTOR_SET, Who.of(request), subject=request.user.get_username()[:120])
    factor.confirmed = True
    factor.save(update_fields=["confirmed"])


def reset(user: Any, who: Who) -> bool:
    """Take somebody's second factor away, so that they set up a new one; False if there was none."""
    with transaction.atomic():
        count, _each = SecondFactor.objects.filter(user=user).delete()
        if count:
            audit.note(AuditAction.FACTOR_RESET, who, subject=user.get_username()[:120])
    return bool(count)


def _qr(factor: SecondFactor) -> SafeString:
    """Drawn here: no other service learns the secret."""
    drawn = segno.make(factor.url, error="m").svg_inline(light="#fff", svgclass=None, omitsize=True)
    return mark_safe(drawn)  # noqa: S308 - drawn by segno from our own text


def _in_fours(factor: SecondFactor) -> str:
    """For typing it by hand."""
    secret = factor.secret.reveal()
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _wanted(request: HttpRequest) -> str:
    """The page that was asked for, if it is ours."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("admin:index")


def locked_out(request: HttpRequest, *_args: Any) -> HttpResponse:
    """What django-axes answers after too many wrong passwords."""
    sentence = _("Wait a quarter of an hour and try again, or ask whoever runs the server to lift the lock.")
    return stop(request, 429, _("Too many wrong passwords"), sentence)
