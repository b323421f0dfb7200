"""The operator's pages of what runs: runs and campaigns, and the hosts, devices and accounts with their runs."""

from automation.admin.accounts import AccountAdmin
from automation.admin.campaigns import CampaignAdmin
from automation.admin.devices import DeviceAdmin
from automation.admin.drift import SightingAdmin
from automation.admin.hosts import HostAdmin
from automation.admin.runs import RunAdmin

__all__ = ["AccountAdmin", "CampaignAdmin", "DeviceAdmin", "HostAdmin", "RunAdmin", "SightingAdmin"]
