"""The widgets: messages up, calls down."""
