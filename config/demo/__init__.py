"""The whole system on one machine with simulated phones: `./run demo`."""
