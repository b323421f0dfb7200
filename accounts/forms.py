"""The form of an account. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2Widget,
    UnfoldBooleanWidget,
)

from accounts.choices import App
from accounts.models import Account
from accounts.services import put_credentials, split_password
from accounts.text import normal_totp_secret
from devices.models import Device

LOGIN_CHOICES = [(True, _("Logged in")), (False, _("Not logged in"))]
STATUS_CHOICES = [(True, _("Enabled")), (False, _("Disabled"))]


def _secret_field(label: Any, help_text: Any) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False)
    return forms.CharField(
        label=label, help_text=help_text, required=False, strip=False, max_length=500, widget=widget
    )


class FlagField(forms.TypedChoiceField):
    """A yes or no in words."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            coerce=lambda value: str(value) == "True", widget=UnfoldAdminRadioSelectWidget, **kwargs
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(initial) != str(data)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    # Not named after the columns: a model form would put what they hold, empty too, on the row.
    new_password = _secret_field(
        _("Password"),
        _("Leave empty to keep the one that is stored. For Instagram also password:2fa_secret."),
    )
    new_totp_secret = _secret_field(
        _("2FA secret"), _("Instagram only. Leave empty to keep the one that is stored.")
    )
    forget_totp_secret = forms.BooleanField(
        label=_("Forget the 2FA secret"), required=False, widget=UnfoldBooleanWidget
    )
    is_logged_in = FlagField(label=_("Login Status"), choices=LOGIN_CHOICES, initial=False)
    is_enabled = FlagField(label=_("Status"), choices=STATUS_CHOICES, initial=True)
    device = forms.ModelChoiceField(
        label=_("Device"), queryset=Device.objects.all(), required=False, widget=UnfoldAdminSelect2Widget
    )

    class Meta:
        model = Account
        fields = ["email", "username", "app", "is_logged_in", "is_enabled", "device", "package_name", "tags"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Each field of the row says what the form showed, so that only what was touched here counts as changed."""
        super().__init__(*args, **kwargs)
        for name in self._columns():
            said = not self.is_bound or self.add_initial_prefix(name) in self.data
            self.fields[name].show_hidden_initial = said

    def _columns(self) -> list[str]:
        """The fields that hold a column of a row that is there already."""
        return [name for name in AccountForm.Meta.fields if name in self.fields and self.instance.pk]

    def clean_new_totp_secret(self) -> str:
        typed: str = self.cleaned_data["new_totp_secret"]
        if typed and not normal_totp_secret(typed):
            raise ValidationError(_("This is no 2FA secret: it has at least 16 letters A-Z and digits 2-7."))
        return normal_totp_secret(typed)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self._columns():
            if name in cleaned and name not in self.changed_data:
                cleaned[name] = getattr(self.instance, name)  # somebody else may have changed it meanwhile
        app = cleaned.get("app") or self.instance.app
        if cleaned.get("new_totp_secret") and app != App.INSTAGRAM:
            self.add_error("new_totp_secret", _("Only an Instagram account has a 2FA secret."))
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """As ever, but the app of a row that is there counts: the form does not ask for it again."""
        left_out: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return left_out - {"app"} if self.instance.pk else left_out

    def changed_columns(self) -> list[str]:
        """Put the secrets that were typed on the row; returns the columns to write. What was not touched stays."""
        edited = [name for name in self.changed_data if name in AccountForm.Meta.fields]
        return [*edited, *self._put_secrets()]

    def _put_secrets(self) -> list[str]:
        typed = self.cleaned_data
        text = typed["new_password"] if typed["new_password"].strip() else ""
        password, secret = split_password(self.instance.app, text)
        secret = typed["new_totp_secret"] or secret
        forget = typed.get("forget_totp_secret") and not secret
        return put_credentials(self.instance, password or None, "" if forget else secret or None)
