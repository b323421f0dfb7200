"""Writes demo/accounts.xlsx: `python demo/make_accounts.py`. Sheet "accounts" is imported, "expected" is checked."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

HERE = Path(__file__).resolve().parent

COLUMNS = [
    "id", "email", "pwd", "username", "device", "device_index", "logined", "status", "nickname", "country",
    "followers", "following", "hearts", "videos", "friends", "app", "packagename", "tags",
]  # fmt: skip

#: app, username, email, pwd, device, device_index, status, tags, expected outcome, expected reason
ACCOUNTS = [
    ("tiktok", "lena.cooks", "lena@demo.example", "first-Light 1", "SIMPHONE01", "", 0, "food, nl", "succeeded", "signed_in"),
    ("tiktok", "studio.nord", "", "odd # % ' \" < & = + \\ é", "SIMPHONE02", "", 0, "music", "succeeded", "signed_in"),
    ("instagram", "mira.travels", "mira@demo.example", "sunny-Day-77:JBSWY3DPEHPK3PXP", "SIMPHONE03", "", 0, "travel", "succeeded", "signed_in"),
    ("instagram", "old.password", "old@demo.example", "the-Old-One-1", "SIMPHONE04", "", 0, "", "failed", "wrong_password"),
    ("tiktok", "puzzle.bakery", "puzzle@demo.example", "Bread-and-butter-3", "SIMPHONE05", "", 0, "food", "needs_person", "captcha"),
    ("instagram", "garden.daily", "garden@demo.example", "green-Thumb-12", "SIMPHONE06", "", 0, "nl", "succeeded", "already_signed_in"),
    ("tiktok", "retired.brand", "retired@demo.example", "no-More-Today-4", "SIMPHONE06", "", 1, "", "not run", "disabled"),
    ("tiktok", "two.apps", "two@demo.example", "both-On-One-5", "SIMPHONE08", "", 0, "", "succeeded", "signed_in"),
    ("instagram", "two.apps", "two@demo.example", "both-On-One-6", "SIMPHONE08", "", 0, "", "succeeded", "signed_in"),
    ("instagram", "label.only", "label@demo.example", "found-By-Label-9", "", "9", 0, "", "succeeded", "signed_in"),
    ("instagram", "mail.code", "code@demo.example", "look-In-Your-Mail-2", "SIMPHONE10", "", 0, "", "needs_person", "email_code"),
    ("instagram", "second.seat", "second@demo.example", "next-To-First-8", "SIMPHONE11", "", 0, "", "succeeded", "signed_in"),
    ("instagram", "no.phone.yet", "nophone@demo.example", "some-Day-Soon-6", "", "", 0, "", "skipped", "no_device"),
    ("tiktok", "far.away", "far@demo.example", "over-The-Hills-7", "SIMPHONE12", "", 0, "", "skipped", "not_started_in_time"),
]  # fmt: skip

#: Not in the list: the match finds them signed in on their phones.
FOUND = [
    ("instagram", "harbour.news", "succeeded", "already_signed_in"),
    ("instagram", "harbour.shop", "succeeded", "switched"),
    ("instagram", "first.seat", "succeeded", "already_signed_in"),
]


def main() -> None:
    with xlsxwriter.Workbook(str(HERE / "accounts.xlsx")) as book:
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
        accounts, expected = book.add_worksheet("accounts"), book.add_worksheet("expected")
        accounts.write_row(0, 0, COLUMNS, bold)
        expected.write_row(0, 0, ["app", "username", "outcome", "reason"], bold)
        for number, (app, name, email, pwd, device, index, status, tags, *end) in enumerate(
            ACCOUNTS, start=1
        ):
            row = {
                "app": app,
                "username": name,
                "email": email,
                "pwd": pwd,
                "device": device,
                "device_index": index,
                "tags": tags,
            }
            for column, title in enumerate(COLUMNS):
                accounts.write_string(number, column, row.get(title, ""), text)
            accounts.write_number(number, COLUMNS.index("logined"), 0)
            accounts.write_number(number, COLUMNS.index("status"), status)
            expected.write_row(number, 0, [app, name, *end])
        for number, row in enumerate(FOUND, start=len(ACCOUNTS) + 1):
            expected.write_row(number, 0, row)
        for sheet in (accounts, expected):
            sheet.set_column(0, len(COLUMNS), 18)
            sheet.freeze_panes(1, 0)


if __name__ == "__main__":
    main()
