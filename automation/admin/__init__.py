"""The operator's pages of what runs: runs and campaigns, and the devices and accounts with their runs."""

from automation.admin.accounts import AccountAdmin
from automation.admin.campaigns import CampaignAdmin
from automation.admin.devices import DeviceAdmin
from automation.admin.drift import SightingAdmin
from automation.admin.runs import RunAdmin

__all__ = ["AccountAdmin", "CampaignAdmin", "DeviceAdmin", "RunAdmin", "SightingAdmin"]
