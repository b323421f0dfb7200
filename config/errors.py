"""Django's error pages, which DEBUG brings up: they say where it happened, never the values that were in hand."""

from __future__ import annotations

from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.views.debug import SafeExceptionReporterFilter


class NoValues(SafeExceptionReporterFilter):
    """Without the variables of functions and the fields of forms: passwords are among both."""

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        return []

    def get_post_parameters(self, request: HttpRequest | None) -> MultiValueDict[str, str]:
        names = request.POST if request is not None else []
        return MultiValueDict({name: [self.cleansed_substitute] for name in names})
