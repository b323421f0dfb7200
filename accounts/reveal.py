"""The page that shows one account's password, to one who may see it, has typed their own, and is written down."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts import services
from accounts.audit import Who
from accounts.keyring import Unreadable
from accounts.models import Account

SHOWN_SECONDS = 60


class OwnPassword(forms.Form):
    """The password of whoever is signed in, once more."""

    own_password = forms.CharField(
        label=gettext_lazy("Your own password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        self.request = request

    def clean_own_password(self) -> str:
        typed: str = self.cleaned_data["own_password"]
        user = authenticate(self.request, username=self.request.user.get_username(), password=typed)
        if user is None or user.pk != self.request.user.pk:
            raise forms.ValidationError(_("That is not your password."))
        return typed


class RevealPage(ModelAdmin):
    """One account at a time, by POST, never kept by a browser or a proxy."""

    actions_detail = ["reveal"]

    def has_reveal_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.view_password") and self.has_view_permission(request))

    @action(description=gettext_lazy("Show password"), url_path="reveal", permissions=["reveal"])
    @method_decorator(sensitive_post_parameters())
    @method_decorator(require_http_methods(["GET", "POST"]))
    @method_decorator(never_cache)
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks for one's own password; shows the account's on the right answer, once it stands in the audit."""
        if not object_id.isdigit():
            raise Http404
        account = get_object_or_404(Account, pk=object_id)
        form = OwnPassword(request, request.POST or None)
        secrets = _secrets(request, account) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Show password"),
            "account": account, "form": form, "secrets": secrets, "seconds": SHOWN_SECONDS,
            "back": reverse("admin:accounts_account_change", args=[account.pk]),
        }  # fmt: skip
        return TemplateResponse(request, "accounts/reveal.html", context)


@sensitive_variables()
def _secrets(request: HttpRequest, account: Account) -> dict[str, str]:
    try:
        password, totp_secret = services.show_secrets(account, Who.of(request))
    except Unreadable as error:
        return {"problem": str(error)}
    return {"password": password, "totp_secret": totp_secret}
