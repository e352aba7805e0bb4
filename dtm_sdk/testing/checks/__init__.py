"""The checks of the conformance suite, a module for each group of rules."""
