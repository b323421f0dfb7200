"""Simulated phones that speak the real ADB and uiautomator2 protocols: `from devices.simulator.farm import Farm`."""
