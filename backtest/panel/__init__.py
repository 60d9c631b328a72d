"""The join: events and bars as arrays in which row t is known at the end of bar t."""
