"""The simulated apps: state machines over screens, with the texts and ids of the real ones."""
