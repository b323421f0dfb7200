"""Dumps made by hand, and dumps of every screen that the simulated apps can draw."""

from __future__ import annotations

from automation.screens.written import IG, TT, dump, node
from devices.simulator.gallery import Nowhere, drawn, screens_of, xml_of
from devices.simulator.ui import NAVIGATION_BAR, WIDTH

__all__ = ["FULL", "IG", "TT", "Nowhere", "drawn", "dump", "node", "screens_of", "xml_of"]

FULL = f"[0,0][{WIDTH},{NAVIGATION_BAR}]"
