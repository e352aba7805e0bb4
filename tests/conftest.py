"""What all tests share."""

from hypothesis import settings

# A slow machine is no failure. Under CI, hypothesis draws the same examples every time by itself.
settings.register_profile("dtm", deadline=None)
settings.load_profile("dtm")

collect_ignore = ["templates"]
"""Parts of projects: they are tested in the projects that tests make of them."""
