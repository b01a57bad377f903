"""Which runs to make: selection, settings, TOML files, run, tune, verify, repeat."""
