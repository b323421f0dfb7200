"""The options of a script as fields of a form, in a campaign and where a run is ordered by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from automation.scripts.base import SCRIPTS, Script
from automation.scripts.options import Bool, Choice, Int, Option, Text, WrongOption


def field_name(script: str, option: str) -> str:
    """The name of an option's field, apart from those of other scripts."""
    return f"option-{script}-{option}"


def names_of(script: Script) -> list[str]:
    return [field_name(script.name, one.name) for one in script.options]


def fields_of(script: Script, values: Mapping[str, Any]) -> dict[str, forms.Field]:
    """Name -> field, filled with these values or else the defaults. What is entered is judged by `read`."""
    return {
        field_name(script.name, one.name): _field(one, values.get(one.name, one.default))
        for one in script.options
    }


def _field(option: Option, value: Any) -> forms.Field:
    kind = forms.BooleanField if isinstance(option, Bool) else forms.CharField
    return kind(
        required=False,
        label=gettext(option.label),
        help_text=gettext(option.help) if option.help else "",
        initial=value,
        widget=_widget(option),
    )


def _widget(option: Option) -> forms.Widget:
    widget: forms.Widget
    if isinstance(option, Bool):
        widget = UnfoldBooleanSwitchWidget()
    elif isinstance(option, Int):
        bounds = {"type": "number", "min": option.least, "max": option.most}
        widget = UnfoldAdminIntegerFieldWidget(attrs={k: v for k, v in bounds.items() if v is not None})
    elif isinstance(option, Choice):
        widget = UnfoldAdminSelectWidget(choices=[(value, gettext(label)) for value, label in option.pairs])
    else:
        widget = UnfoldAdminTextInputWidget(attrs={"maxlength": getattr(option, "longest", None)})
    return widget


def read(script: Script, form: forms.Form | forms.ModelForm) -> dict[str, Any]:  # type: ignore[type-arg]
    """The values that were entered, by the script's own rules; adds an error to each field that breaks one."""
    values = {}
    for one in script.options:
        name = field_name(script.name, one.name)
        entered = form.cleaned_data.get(name, "")
        try:
            values[one.name] = one.default if _is_left_empty(one, entered) else one.read(entered)
        except WrongOption as error:
            form.add_error(name, gettext(error.text) % error.values)
    return values


def _is_left_empty(option: Option, entered: Any) -> bool:
    return entered == "" and not isinstance(option, Text)


class OrderForm(forms.Form):
    """The options of one run that is ordered by hand."""

    def __init__(self, script: Script, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.script, self.options = script, dict[str, Any]()
        self.fields.update(fields_of(script, {}))

    def clean(self) -> dict[str, Any]:
        self.options = read(self.script, self)
        return self.cleaned_data


def with_options(stored: Mapping[str, Any], chosen: str) -> dict[str, forms.Field]:
    """The fields of all scripts with options; `stored` are the values of the chosen one."""
    fields: dict[str, forms.Field] = {}
    for script in SCRIPTS.values():
        fields |= fields_of(script, stored if script.name == chosen else {})
    return fields
