"""Export buttons of a list in the admin: its rows as the filter leaves them, as .xlsx or as .csv."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from import_export.admin import ExportMixin
from import_export.formats.base_formats import Format

from devices.sheets.formats import TableCSV, TableXLSX


class CSVExport:
    """Adds an address for the .csv beside import-export's own for the first format."""

    def get_urls(self) -> list[URLPattern]:
        name = "{}_{}_export_csv".format(*self.get_model_info())  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.export_csv)  # type: ignore[attr-defined]
        return [path("export.csv", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        return self.export_action(request, file_format=1)

    def export_action(self, request: HttpRequest, file_format: int = 0) -> HttpResponseBase:
        """The file, in the format of this number, of the rows that the address asks for."""
        if not self.has_export_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        queryset = self.get_export_queryset(request)  # type: ignore[attr-defined]
        chosen: Format = self.formats[file_format]()  # type: ignore[attr-defined]
        response: HttpResponseBase = self._do_file_export(chosen, request, queryset)  # type: ignore[attr-defined]
        response["Cache-Control"] = "no-store"
        return response

    def get_export_filename(self, _request: HttpRequest, _queryset: Any, file_format: Format) -> str:
        return f"{self.opts.model_name}s.{file_format.get_extension()}"  # type: ignore[attr-defined]


class TableExport(CSVExport, ExportMixin):
    """For a list whose rows hold no secrets."""

    formats = [TableXLSX, TableCSV]
    import_export_change_list_template = "sheets/change_list_export.html"

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def _do_file_export(
        self, file_format: Format, request: HttpRequest, queryset: Any, export_form: Any = None
    ) -> HttpResponseBase:
        data = self.get_export_data(file_format, request, queryset)
        kind = HttpResponse if isinstance(data, bytes) else StreamingHttpResponse
        response = kind(data, content_type=file_format.get_content_type())
        name = self.get_export_filename(request, queryset, file_format)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
