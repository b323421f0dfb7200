"""Error pages under DEBUG: where it happened, and no value."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.views.debug import technical_500_response

MARKED = "kept-9f3-secret"


@pytest.fixture
def page(settings: Any) -> str:
    """The error page of a view that had a password in a variable and another in a form."""
    settings.DEBUG = True
    request = RequestFactory().post("/admin/", {"new_password": MARKED})
    try:
        failing_view(request, MARKED)
    except RuntimeError as error:
        return technical_500_response(request, type(error), error, error.__traceback__).content.decode()
    raise AssertionError


def failing_view(_request: HttpRequest, password: str) -> None:
    raise RuntimeError(f"it has {len(password)} letters")


def test_an_error_page_says_where_but_shows_no_value(page: str) -> None:
    assert "it has 15 letters" in page
    assert "failing_view" in page
    assert "new_password" in page
    assert MARKED not in page
