"""From a generator or a file to windows: tables, calendar, series, transforms, splits."""
