"""The terminal interface: chat, browse, timeline, review, status."""
