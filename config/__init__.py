"""The top floor: settings, the processes and how they are started."""
