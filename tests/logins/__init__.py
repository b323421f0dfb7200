"""Logins by the thousand on simulated phones: what the script says against what the simulator knows."""
