"""The list of accounts and the form of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from accounts import services
from accounts.audit_admin import AuditEventAdmin
from accounts.choices import App
from accounts.excel import job_pages as job_pages  # the pages of imports
from accounts.excel.pages import ExcelPages
from accounts.export_page import ExportPage
from accounts.filters import AttentionFilter, DeviceFilter, LoginFilter, StatusFilter, TagFilter
from accounts.forms import AccountForm
from accounts.models import Account
from accounts.querysets import AccountQuerySet
from accounts.reveal import RevealPage
from devices.choices import Connection

__all__ = ["AccountAdmin", "AuditEventAdmin"]

SECRETS = ("password", "totp_secret", "vault_id")
PILL = "inline-block font-semibold rounded-default text-[11px] uppercase whitespace-nowrap h-6 leading-6 px-2"
GREEN = "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400"
RED = "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400"
GREY = "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200"
FIGURES = ["nickname", "country", "followers", "following", "hearts", "videos", "friends"]
TRACES = [
    "attention_text",
    "attention_since",
    "last_matched_at",
    "last_synced_at",
    "created_at",
    "updated_at",
]


@admin.register(Account)
class AccountAdmin(RevealPage, ModelAdmin, ExportPage, ExcelPages):
    form = AccountForm
    list_display = [
        "account",
        "app",
        "device_cell",
        "login_pill",
        "status_pill",
        "attention_cell",
        "tags",
        "fans",
    ]
    list_filter = ["app", StatusFilter, LoginFilter, AttentionFilter, DeviceFilter, TagFilter]
    list_filter_sheet = False
    list_filter_submit = False
    list_select_related = ["device__host"]
    list_per_page = 50
    how_rows_come = gettext_lazy("No account yet: “Import” brings a whole list, such as accounts.xlsx.")
    search_fields = ["username"]  # shows the box; get_search_results says what is searched
    search_help_text = gettext_lazy("Username, email, tag, device serial or label")
    ordering = ["username", "app"]
    actions = ["enable_accounts", "disable_accounts"]
    readonly_fields = [*FIGURES, *TRACES]

    # The form

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        secrets = ["email", "new_password", "new_totp_secret"]
        if obj and obj.totp_secret:
            secrets.append("forget_totp_secret")
        basic = {"fields": [*secrets, "username", "app", "is_logged_in", "is_enabled", "device"]}
        more = {"fields": ["package_name", "tags"]}
        if obj is None:
            return [(None, basic), (_("More"), more)]
        figures = (_("Profile figures"), {"fields": FIGURES, "classes": ["tab"]})
        return [
            (None, basic),
            (_("More"), more),
            *([figures] if obj.app == App.TIKTOK else []),
            (_("History"), {"fields": TRACES, "classes": ["tab"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> list[str]:
        return [*self.readonly_fields, "app"] if obj else list(self.readonly_fields)

    @admin.display(description=gettext_lazy("attention"))
    def attention_text(self, account: Account) -> str:
        return account.attention_text or "-"

    @method_decorator(sensitive_post_parameters("new_password", "new_totp_secret"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        page: HttpResponse = super().changeform_view(*args, **kwargs)
        return page

    def save_model(self, request: HttpRequest, obj: Account, form: AccountForm, change: bool) -> None:
        columns = form.changed_columns()
        services.save_edited(obj, columns if change else None, request.user.get_username())

    # The list

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet[Account],
        search_term: str,
    ) -> tuple[QuerySet[Account], bool]:
        return cast(AccountQuerySet, queryset).matching_search(search_term), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Nothing about a secret can be asked by way of the address."""
        if any(part in SECRETS for part in lookup.split("__")):
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    @admin.display(description=gettext_lazy("Username"), ordering="username")
    def account(self, account: Account) -> SafeString:
        email = format_html('<span class="block text-xs text-base-500">{}</span>', account.email)
        return format_html("@{}{}", account.username, email if account.email else "")

    @admin.display(description=gettext_lazy("device"), ordering="device__label")
    def device_cell(self, account: Account) -> SafeString:
        device = account.device
        if device is None:
            return format_html('<span class="text-base-400">{}</span>', _("unassigned"))
        place = device.host.name if device.host else _("no host")
        away = "" if device.connection == Connection.ONLINE else _pill(RED, device.get_connection_display())
        return format_html(
            '{} {}<span class="block text-xs text-base-500">{}</span>',
            device.label or device.serial,
            away,
            place,
        )

    @admin.display(description=gettext_lazy("Login Status"), ordering="is_logged_in")
    def login_pill(self, account: Account) -> SafeString:
        return _toggle(account, "login")

    @admin.display(description=gettext_lazy("Status"), ordering="is_enabled")
    def status_pill(self, account: Account) -> SafeString:
        return _toggle(account, "status")

    @admin.display(description=gettext_lazy("attention"), ordering="attention_since")
    def attention_cell(self, account: Account) -> SafeString | str:
        return _pill(RED, account.attention_text) if account.attention else ""

    @admin.display(description=gettext_lazy("followers"), ordering="followers")
    def fans(self, account: Account) -> str:
        return "" if account.followers is None else str(localize(account.followers))

    # Changes from the list

    def get_urls(self) -> list[URLPattern]:
        toggle = path(
            "<int:pk>/toggle/<slug:what>/",
            self.admin_site.admin_view(self.toggle),
            name="accounts_account_toggle",
        )
        return [toggle, *super().get_urls()]

    @method_decorator(require_POST)
    def toggle(self, request: HttpRequest, pk: int, what: str) -> HttpResponse:
        """Turn one flag of one account; answers with the pill, or with the list where there is no script."""
        account = get_object_or_404(Account, pk=pk)
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        if what not in TOGGLES:
            raise Http404
        TOGGLES[what].turn(account, request.user.get_username())
        account.refresh_from_db()
        self.log_change(request, account, f"{TOGGLES[what].title}: {TOGGLES[what].state(account)[0]}")
        if request.headers.get("HX-Request"):
            return HttpResponse(_toggle(account, what))
        return HttpResponseRedirect(_where_from(request))

    @admin.action(description=gettext_lazy("Enable"), permissions=["change"])
    def enable_accounts(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        self._set_enabled(request, queryset, enabled=True)

    @admin.action(description=gettext_lazy("Disable"), permissions=["change"])
    def disable_accounts(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        self._set_enabled(request, queryset, enabled=False)

    def _set_enabled(self, request: HttpRequest, queryset: QuerySet[Account], enabled: bool) -> None:
        changed = services.set_enabled(
            queryset.select_related(None).only("pk"), enabled, request.user.get_username()
        )
        self._note(request, f"{'Enabled' if enabled else 'Disabled'} {changed} accounts")
        words = ngettext("%(count)s account %(verb)s.", "%(count)s accounts %(verb)s.", changed)
        messages.success(
            request, words % {"count": changed, "verb": _("enabled") if enabled else _("disabled")}
        )


class Toggle:
    """A flag that a click on its pill turns."""

    def __init__(
        self,
        title: Any,
        read: Callable[[Account], bool],
        write: Callable[[Account, bool, str], Any],
        words: tuple[Any, Any],
        colours: tuple[str, str],
    ) -> None:
        self.title = title
        self.read, self.write = read, write
        self.words, self.colours = words, colours

    def turn(self, account: Account, actor: str) -> None:
        self.write(account, not self.read(account), actor)

    def state(self, account: Account) -> tuple[Any, str]:
        """The word and the colour of the pill."""
        on = self.read(account)
        return (self.words[0], self.colours[0]) if on else (self.words[1], self.colours[1])


TOGGLES = {
    "login": Toggle(
        gettext_lazy("Login Status"),
        lambda account: account.is_logged_in,
        lambda account, on, _actor: services.set_logged_in([account], on),
        (gettext_lazy("Logged in"), gettext_lazy("Not logged in")),
        (GREEN, GREY),
    ),
    "status": Toggle(
        gettext_lazy("Status"),
        lambda account: account.is_enabled,
        lambda account, on, actor: services.set_enabled([account], on, actor),
        (gettext_lazy("Enabled"), gettext_lazy("Disabled")),
        (GREEN, RED),
    ),
}


def _pill(colour: str, text: Any) -> SafeString:
    return format_html('<span class="{} {}">{}</span>', PILL, colour, text)


def _toggle(account: Account, what: str) -> SafeString:
    """A button of the list's own form, so that its CSRF token goes along; htmx replaces just the button."""
    word, colour = TOGGLES[what].state(account)
    url = reverse("admin:accounts_account_toggle", args=[account.pk, what])
    return format_html(
        '<button type="submit" formmethod="post" formaction="{0}" hx-post="{0}" hx-params="csrfmiddlewaretoken" '
        'hx-swap="outerHTML" title="{1}" class="cursor-pointer {2} {3}">{4}</button>',
        url,
        _("Click to change"),
        PILL,
        colour,
        word,
    )


def _where_from(request: HttpRequest) -> str:
    """The list with its filters, where the click came from."""
    referer = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return referer
    return reverse("admin:accounts_account_changelist")
