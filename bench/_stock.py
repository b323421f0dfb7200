"""django-import-export as it comes, over the same model: what bench/excel.py measures against."""

from __future__ import annotations

from typing import Any

from import_export.fields import Field
from import_export.formats.base_formats import XLSX
from import_export.resources import ModelResource

from accounts.models import Account

COLUMNS = ("id", "email", "username", "app", "is_logged_in", "is_enabled", "nickname", "followers", "tags")


class StockResource(ModelResource):
    """Default options; the password goes in and out by a plain column, as a newcomer would write it."""

    pwd = Field(column_name="pwd")

    class Meta:
        model = Account
        fields = (*COLUMNS, "pwd")
        import_id_fields = ("username",)

    def dehydrate_pwd(self, account: Account) -> str:
        return account.password.reveal()

    def before_save_instance(self, instance: Account, row: Any, **_kwargs: Any) -> None:
        instance.password = str(row["pwd"])


def stock_import(data: bytes, dry_run: bool = False) -> Any:
    dataset = XLSX().create_dataset(data)
    del dataset["id"]
    dataset.append_col(["0"] * len(dataset), header="is_logged_in")
    dataset.append_col(["1"] * len(dataset), header="is_enabled")
    result = StockResource().import_data(dataset, dry_run=dry_run, raise_errors=True)
    assert not result.has_errors()
    return result


def stock_preview(data: bytes) -> Any:
    return stock_import(data, dry_run=True)


def stock_export() -> Any:
    return XLSX().export_data(StockResource().export())
