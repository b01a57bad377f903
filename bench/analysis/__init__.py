"""From runs to tables: ranking, statistics, comparison. Returns data and prints nothing."""
