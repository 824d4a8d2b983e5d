"""What screens ask of the memory: functions that a thread runs, and the records they return."""
