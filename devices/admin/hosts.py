"""The page of hosts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from devices import services
from devices.admin.kit import BAD, GOOD, PLAIN, WARN, LiveList, PageButtons, pill, two_lines, when
from devices.choices import Connection
from devices.models import Host


@admin.register(Host)
class HostAdmin(LiveList, PageButtons):
    """Hosts come by themselves, at the first word of their agents; a person trusts them."""

    list_display = ("name", "trust", "life", "heard", "phones", "lanes", "version")
    list_filter = ("is_trusted", "is_silent")
    search_fields = ("name",)
    how_rows_come = gettext_lazy(
        "No host yet: it comes by itself once an agent runs there (./run agent --name NAME)."
    )
    readonly_fields = (
        "name",
        "trust",
        "life",
        "heard",
        "phones",
        "lanes",
        "version",
        "dropped",
        "screens",
        "key",
    )
    fields = (*readonly_fields, ("max_runs", "max_per_hub"))
    actions: tuple[str, ...] = ("trust_them", "distrust_them", "forget_their_keys")
    page_buttons = actions

    def buttons_for(self, row: Host) -> tuple[str, ...]:
        return ("distrust_them" if row.is_trusted else "trust_them", "forget_their_keys")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Host]:
        online = Count("devices", filter=Q(devices__connection=Connection.ONLINE))
        found: QuerySet[Host] = super().get_queryset(request).annotate(all=Count("devices"), online=online)
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @display(description=gettext_lazy("trusted"), ordering="is_trusted")
    def trust(self, host: Host) -> SafeString:
        return pill(_("trusted"), GOOD) if host.is_trusted else pill(_("waits to be trusted"), WARN)

    @display(description=gettext_lazy("alive"), ordering="is_silent")
    def life(self, host: Host) -> SafeString:
        if host.last_seen is None:
            return pill(_("never heard"), PLAIN)
        return pill(_("silent"), BAD) if host.is_silent else pill(_("alive"), GOOD)

    @display(description=gettext_lazy("last seen"), ordering="last_seen")
    def heard(self, host: Host) -> str:
        return when(host.last_seen)

    @display(description=gettext_lazy("public key"))
    def key(self, host: Host) -> SafeString:
        return format_html('<span class="pr-long">{}</span>', host.public_key)

    @display(description=gettext_lazy("screen files"))
    def screens(self, host: Host) -> SafeString:
        return two_lines(host.screens_hash or "–", host.screen_faults)

    @display(description=gettext_lazy("phones online"))
    def phones(self, host: Any) -> str:
        return f"{host.online} / {host.all}"

    @admin.action(description=gettext_lazy("Trust"), permissions=["change"])
    def trust_them(self, request: HttpRequest, hosts: QuerySet[Host]) -> None:
        count = services.trust_hosts(hosts)
        text = ngettext("%(n)s host is given runs now.", "%(n)s hosts are given runs now.", count)
        self.message_user(request, text % {"n": count})

    @admin.action(description=gettext_lazy("Distrust"), permissions=["change"])
    def distrust_them(self, request: HttpRequest, hosts: QuerySet[Host]) -> None:
        count = services.trust_hosts(hosts, trusted=False)
        text = ngettext("%(n)s host gets no more runs.", "%(n)s hosts get no more runs.", count)
        self.message_user(request, text % {"n": count})

    @admin.action(description=gettext_lazy("Forget the key"), permissions=["change"])
    def forget_their_keys(self, request: HttpRequest, hosts: QuerySet[Host]) -> None:
        for host in hosts:
            services.forget_key(host)
        names = ", ".join(host.name for host in hosts)
        self.message_user(
            request,
            _("The next agent that speaks as %(names)s sets the key; trust it then.") % {"names": names},
        )
