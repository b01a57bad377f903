"""Where runs are kept: codec, stores, atomic files, locks and merging."""
