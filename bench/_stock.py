"""django-import-export as it comes, over the same model: what bench/excel.py measures against."""

from __future__ import annotations

from typing import Any

from import_export.fields import Field
from import_export.formats.base_formats import XLSX
from import_export.resources import ModelResource
from import_export.widgets import BooleanWidget, ForeignKeyWidget

from accounts.models import Account
from devices.models import Device

COLUMNS = (
    "id", "email", "username", "app", "nickname", "country", "followers", "following", "hearts", "videos", "friends",
    "tags",
)  # fmt: skip


class StockResource(ModelResource):
    """Default options and the documented columns; pwd goes in and out plainly, as a newcomer would write it."""

    pwd = Field(column_name="pwd")
    device = Field("device", "device", ForeignKeyWidget(Device, "serial"))
    device_index = Field("device__label", "device_index", readonly=True)
    logined = Field("is_logged_in", "logined", BooleanWidget())
    status = Field("is_enabled", "status", BooleanWidget())
    packagename = Field("package_name", "packagename")

    class Meta:
        model = Account
        fields = (*COLUMNS, "pwd", "device", "device_index", "logined", "status", "packagename")

    def dehydrate_pwd(self, account: Account) -> str:
        return account.password.reveal()

    def before_save_instance(self, instance: Account, row: Any, **_kwargs: Any) -> None:
        instance.password = str(row["pwd"])


def stock_import(data: bytes, dry_run: bool = False) -> Any:
    result = StockResource().import_data(XLSX().create_dataset(data), dry_run=dry_run, raise_errors=True)
    assert not result.has_errors()
    return result


def stock_preview(data: bytes) -> Any:
    return stock_import(data, dry_run=True)


def stock_export() -> Any:
    return XLSX().export_data(StockResource().export())
