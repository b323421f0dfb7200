"""Descriptions of farms: what is taken, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devices.simulator.description import DescriptionError, Login, plain_phones, read_farm, read_file
from devices.simulator.logins import Logins, code_fits


def farm(phone: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"phones": [{"serial": "A", **(phone or {})}], **more}


def test_defaults_are_filled_in() -> None:
    phone = read_farm(farm({"android": 13, "apps": [{"app": "tiktok"}]})).phones[0]
    assert phone.android == "13"
    assert phone.apps[0].package == "com.zhiliaoapp.musically"
    assert phone.apps[0].version == "43.1.4"


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "farm.yaml"
    path.write_text("phones:\n  - {serial: A, temperature: 30}\nlogins:\n  - {app: instagram, username: b}\n")
    spec = read_file(path)
    assert (spec.phones[0].serial, spec.phones[0].temperature, spec.logins[0].username) == ("A", 30, "b")


def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "farm.yaml"
    path.write_text("phones:\n  - {serial: A\n")
    with pytest.raises(DescriptionError, match=r"farm\.yaml is not YAML at line \d"):
        read_file(path)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "A farm must be a mapping"),
        ({}, "The farm has no phones."),
        ({"phone": []}, "The farm has phone; known are phones and logins."),
        ({"phones": [{}]}, "phone 1: serial is missing."),
        (farm({"colour": "red"}), "phone 1: colour is not known; known are serial,"),
        (farm({"battery": 101}), "phone A: battery must be between 0 and 100."),
        (farm({"battery": "full"}), "phone 1: battery must be a whole number."),
        (farm({"apps": [{"app": "chess"}]}), "phone A, app 1: app must be one of instagram, tiktok."),
        (farm({"apps": [{"app": "tiktok", "popups": ["x"]}]}), "popup x is not known"),
        (farm({"apps": [{"app": "tiktok"}, {"app": "tiktok"}]}), "is installed twice."),
        ({"phones": [{"serial": "A"}, {"serial": "A"}]}, "The serial A is given to two phones."),
        (
            farm(logins=[{"app": "tiktok", "username": "b", "behaviour": "odd"}]),
            "behaviour must be one of ok,",
        ),
        (
            farm(logins=[{"app": "tiktok", "username": "b", "totp_secret": "1!"}]),
            "totp_secret must be base32.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(DescriptionError, match=".*".join(map(str, [sentence.replace(".", r"\.")]))):
        read_farm(data)


def test_no_error_and_no_repr_tells_a_password() -> None:
    with pytest.raises(DescriptionError) as caught:
        read_farm(
            farm(logins=[{"app": "tiktok", "username": "b", "password": "hidden", "followers": "hidden"}])
        )
    assert "hidden" not in str(caught.value)
    assert "hidden" not in repr(Login("tiktok", "b", password="hidden", totp_secret="hidden", code="hidden"))


def test_plain_phones_have_both_apps() -> None:
    spec = read_farm(plain_phones(3))
    assert [phone.serial for phone in spec.phones] == ["SIMPHONE01", "SIMPHONE02", "SIMPHONE03"]
    assert {app.app for app in spec.phones[2].apps} == {"instagram", "tiktok"}


def test_a_login_is_found_by_name_or_email_in_any_case() -> None:
    logins = Logins([Login("tiktok", "Bob", email="b@demo.example")])
    assert logins.find("tiktok", "@bob") is logins.find("tiktok", "B@Demo.example") is not None
    assert logins.find("instagram", "bob") is None
    assert logins.find("tiktok", "") is None


@pytest.mark.parametrize(("now", "fits"), [(59, True), (89, True), (119, False), (0, True)])
def test_codes_follow_the_standard(now: int, fits: bool) -> None:
    login = Login("instagram", "a", totp_secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert code_fits(login, "287 082", now) is fits


def test_short_secrets_work_too() -> None:
    assert code_fits(Login("instagram", "a", totp_secret="JBSWY3DPEHPK3PXP"), "282760", 0)
