"""What a config tells, one module a part of the record."""
