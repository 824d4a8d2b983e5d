"""The background process: its loop, the process with the models, the one that works at night, and the socket."""
