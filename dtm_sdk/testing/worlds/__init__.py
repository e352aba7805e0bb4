"""The worlds that plugins act on, as the suite sees them: without any plugin's help."""
