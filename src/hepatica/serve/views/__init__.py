"""Views: what the viewers of a page show, decoded from what was sent in by processes of their own."""

__all__: list[str] = []
