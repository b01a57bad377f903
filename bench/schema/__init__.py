"""What a run is: the structs of a record and of a prepared series. No input or output."""
